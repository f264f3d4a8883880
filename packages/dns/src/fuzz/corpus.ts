import * as packet from 'dns-packet';

export const NAME = '_acme-challenge.shop.customer.test';
export const APEX = 'customer.test';
export const VALUE = 'a'.repeat(43);

const soa = { mname: 'ns1.customer.test', rname: 'hostmaster.customer.test', serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 60 };

const reply = (more: Partial<packet.Packet>, type: packet.Question['type'] = 'TXT'): Buffer =>
  packet.encode({ type: 'response', id: 1, flags: packet.AUTHORITATIVE_ANSWER, questions: [{ type, name: NAME }], ...more });

const opt: packet.Answer = { type: 'OPT', name: '.', udpPayloadSize: 1_232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [{ code: 12, length: 24 }] };

/** What honest servers send, and what askServer makes of it. */
export const HONEST: [string, Buffer][] = [
  ['match', reply({ answers: [{ type: 'TXT', name: NAME, ttl: 60, data: [VALUE] }], additionals: [opt] })],
  ['mismatch', reply({ answers: [{ type: 'TXT', name: NAME, ttl: 60, data: [Buffer.alloc(255, 'x'), Buffer.alloc(100, 'y')] }] })],
  ['mismatch', reply({ answers: [{ type: 'CNAME', name: NAME, ttl: 60, data: 'label.acme.platform.test' }] })],
  ['nxdomain', reply({ flags: packet.AUTHORITATIVE_ANSWER | 3, authorities: [{ type: 'SOA', name: APEX, ttl: 60, data: soa }] })],
  ['nodata', reply({ answers: [{ type: 'SOA', name: APEX, ttl: 60, data: soa }] }, 'SOA')],
  ['nodata', reply({ answers: ['ns1', 'ns2'].map((host) => ({ type: 'NS', name: APEX, ttl: 60, data: `${host}.${APEX}` })) }, 'NS')],
  ['nodata', reply({ answers: [{ type: 'AAAA', name: NAME, ttl: 60, data: '2001:db8::1' }], additionals: [opt] }, 'AAAA')],
  ['lame', reply({ flags: packet.TRUNCATED_RESPONSE })],
  [
    'lame',
    reply({
      flags: 0,
      authorities: ['ns1', 'ns2'].map((host) => ({ type: 'NS', name: 'shop.customer.test', ttl: 60, data: `${host}.shop.customer.test` })),
      additionals: [
        { type: 'A', name: 'ns1.shop.customer.test', ttl: 60, data: '192.0.2.1' },
        { type: 'AAAA', name: 'ns2.shop.customer.test', ttl: 60, data: '2001:db8::1' },
        opt,
      ],
    }),
  ],
  ['nodata', reply({ answers: [{ type: 'CAA', name: NAME, ttl: 60, data: { flags: 0, tag: 'issue', value: 'ca.test; validationmethods=dns-01' } }] }, 'CAA')],
  ['mismatch', reply({ answers: Array.from({ length: 20 }, (_, index) => ({ type: 'TXT' as const, name: NAME, ttl: 1, data: [`v${index}`] })) })],
];

/** As many one-letter TXT records, each name a pointer to the question's: as much as an honest server gets into a reply. */
export function compressed(records: number): Buffer {
  const record = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 1, 0, 2, 1, 0x76]);
  const bytes = Buffer.concat([reply({}), ...Array.from({ length: records }, () => record)]);
  bytes.writeUInt16BE(records, 6);
  return bytes;
}
