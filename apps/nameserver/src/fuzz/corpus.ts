import * as packet from 'dns-packet';
import type { LabelLookup, ZoneSettings } from '../zone';

export const APEX = 'acme.platform.test';
export const ZONE: ZoneSettings = {
  apex: APEX,
  nameServers: [
    { name: `ns1.${APEX}`, addresses: ['192.0.2.1', '2001:db8::1'] },
    { name: `ns.far.${APEX}`, addresses: ['192.0.2.2'] },
  ],
};

const LABELS: Record<string, string[]> = {
  one: ['certwright-delegation=one', 'x'.repeat(43), 'y'.repeat(43)],
  many: Array.from({ length: 60 }, (_, index) => `value-${index}-${'x'.repeat(43)}`),
};
export const lookup: LabelLookup = (label) => (Object.hasOwn(LABELS, label) ? (LABELS[label] ?? null) : null);

const opt = (more: Partial<packet.OptAnswer> = {}): packet.Answer =>
  ({ type: 'OPT', name: '.', udpPayloadSize: 1_232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [], ...more });

const COOKIE = { code: 10, data: Buffer.from('0123456789abcdef', 'hex') };
const PADDING = { code: 12, data: Buffer.alloc(40) };

const query = (name: string, type: string, more: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({ type: 'query', id: 1, questions: [{ name, type: type as packet.RecordType }], ...more });

/** What honest resolvers ask. */
export const QUERIES: Buffer[] = [
  query(`one.${APEX}`, 'TXT'),
  query(`one.${APEX}`, 'TXT', { additionals: [opt({ udpPayloadSize: 4_096, flags: packet.DNSSEC_OK })] }),
  query(`many.${APEX}`, 'TXT', { additionals: [opt()] }),
  query(`many.${APEX}`, 'TXT'),
  query(`absent.${APEX}`, 'TXT', { flags: packet.RECURSION_DESIRED, additionals: [opt({ options: [COOKIE, PADDING] as packet.PacketOpt[] })] }),
  query(`one.${APEX}`, 'A', { additionals: [opt({ ednsVersion: 1 })] }),
  query(`far.${APEX}`, 'AAAA'),
  ...['SOA', 'NS', 'CAA', 'ANY', 'DS', 'AXFR'].map((type) => query(APEX, type, { additionals: [opt()] })),
  query(APEX, 'IXFR', {
    authorities: [
      { type: 'SOA', name: APEX, ttl: 0, data: { mname: APEX, rname: APEX, serial: 1, refresh: 0, retry: 0, expire: 0, minimum: 0 } },
    ],
  }),
  query('www.elsewhere.test', 'A'),
  query('.', 'NS'),
];
