import { setTimeout as sleep } from 'node:timers/promises';
import * as packet from 'dns-packet';
import { authoritative, closest, type DnsAnswer, NOERROR, recursive, REFUSED, SERVFAIL } from './dns-answers';
import { askAt, listenDns } from './dns-listener';
import { isUnder, lower, makeZone, nsOf, type Zone } from './zone-data';

const LATE_MS = 1_000;

export type Misbehaviour =
  | 'silent'
  /** Answers, but only after a second. */
  | 'late'
  | 'servfail'
  | 'refused'
  | 'lame'
  | 'self-referral'
  | 'truncate'
  | 'wrong-id'
  | 'garbage';

export interface SeenQuery {
  address: string;
  name: string;
  type: string;
  /** Recursion desired: somebody took us for a resolver. */
  recursive: boolean;
}

export interface NameServers {
  port: number;
  /** Authoritative servers at `servers` (default: all; '' for none), named ns1.<apex>, ns2.<apex> … */
  addZone(apex: string, options?: { servers?: string[] }): void;
  /** Replaces the TXT values of a name; with `on` what that server has instead of values, alias or delegation. */
  setTxt(name: string, values: string[], options?: { on?: string }): void;
  removeTxt(name: string): void;
  setCname(name: string, target: string): void;
  removeCname(name: string): void;
  setCaa(name: string, records: { flags: number; tag: string; value: string }[]): void;
  /** Everything at and below `apex` is asked of the name server at a port of 127.0.0.1, which alone knows about it. */
  relay(apex: string, port: number): void;
  /** Makes the server at an address misbehave for what it is authoritative for; null: behave again. */
  misbehave(address: string, how: Misbehaviour | null): void;
  /** The last 10,000 queries. */
  queries: SeenQuery[];
  close(): Promise<void>;
}

const MAX_QUERIES = 10_000;

/** What a client takes over UDP that doesn't say (RFC 1035 section 4.2.1). */
const DEFAULT_UDP_SIZE = 512;

/**
 * Name servers in this process, over UDP and TCP, on one port of one or several loopback addresses. Each is authoritative
 * for its zones; the first also resolves every zone for queries that ask for recursion. For tests, and for the demo.
 */
export async function startNameServers({
  port: wanted = 0,
  addresses = ['127.0.0.1'],
  seen = () => undefined,
}: { port?: number; addresses?: string[]; seen?: (query: SeenQuery) => void } = {}): Promise<NameServers> {
  const zones = new Map<string, Zone>();
  const wrong = new Map<string, Misbehaviour>();
  const queries: SeenQuery[] = [];
  const [resolver] = addresses;
  const zoneFor = (name: string): Zone => {
    const zone = closest(zones.values(), lower(name));
    if (!zone) throw new Error(`no zone for ${name}: call addZone first`);
    return zone;
  };

  const relays = new Map<string, number>();
  const relayOf = (name: string): number | undefined => [...relays].find(([apex]) => isUnder(name, apex))?.[1];

  const handle = (address: string, bytes: Buffer, transport: 'udp' | 'tcp'): Buffer | null | Promise<Buffer | null> => {
    const query = decode(bytes);
    const question = query?.questions?.[0];
    if (!query || !question || query.type !== 'query') return null;
    const wantsRecursion = Boolean(query.flag_rd);
    const one = { address, name: lower(question.name), type: question.type, recursive: wantsRecursion };
    queries.push(one);
    seen(one);
    if (queries.length > MAX_QUERIES) queries.shift();
    const resolves = wantsRecursion && address === resolver;
    const relayed = relayOf(one.name);
    if (relayed !== undefined) return askAt(relayed, bytes);
    const how = resolves ? undefined : wrong.get(address);
    if (how === 'silent') return null;
    if (how === 'garbage') return Buffer.from([...bytes.subarray(0, 2), 0x80, 0, 0, 1, 0xc0, 0x0c]);
    const all = [...zones.values()];
    const proper = resolves ? recursive(all, question) : authoritative(all, address, question);
    const answer = misbehaved(proper, how, closest(all, lower(question.name)));
    const beyond = resolves && answer.leadsTo !== undefined ? relayOf(answer.leadsTo) : undefined;
    if (beyond !== undefined) return followed(query, answer, beyond);
    const reply = encode(query, answer, how === 'wrong-id' ? 1 : 0);
    const tooLong = transport === 'udp' && (how === 'truncate' || (reply?.length ?? 0) > udpSizeOf(query));
    const sent = tooLong ? encode(query, { rcode: answer.rcode, flags: packet.TRUNCATED_RESPONSE }) : reply;
    return how === 'late' ? sleep(LATE_MS, sent) : sent;
  };

  const listener = await listenDns(addresses, wanted, handle);
  return {
    port: listener.port,
    queries,
    close: listener.close,
    addZone(apex, { servers = addresses } = {}) {
      zones.set(lower(apex), makeZone(lower(apex), servers));
    },
    setTxt(name, values, { on } = {}) {
      const zone = zoneFor(name);
      if (on === undefined) zone.txt.set(lower(name), values);
      else zone.txtOn.set(on, (zone.txtOn.get(on) ?? new Map<string, string[]>()).set(lower(name), values));
    },
    removeTxt(name) {
      const zone = zoneFor(name);
      for (const values of [zone.txt, ...zone.txtOn.values()]) values.delete(lower(name));
    },
    setCname(name, target) {
      zoneFor(name).cnames.set(lower(name), lower(target));
    },
    removeCname(name) {
      zoneFor(name).cnames.delete(lower(name));
    },
    setCaa(name, records) {
      zoneFor(name).caa.set(lower(name), records);
    },
    relay: (apex, to) => void relays.set(lower(apex), to),
    misbehave(address, how) {
      if (how) wrong.set(address, how);
      else wrong.delete(address);
    },
  };
}

/** What the alias's own name server has at its end, behind the aliases that lead there. */
async function followed(query: packet.DecodedPacket, { answers = [], leadsTo = '' }: DnsAnswer, port: number): Promise<Buffer | null> {
  const type = query.questions?.[0]?.type ?? 'TXT';
  const reply = await askAt(port, packet.encode({ type: 'query', id: query.id ?? 0, questions: [{ type, name: leadsTo }] }));
  const end = reply && decode(reply);
  if (!end) return encode(query, { rcode: SERVFAIL });
  const { answers: found = [], authorities = [] } = end;
  const rcode = reply.readUInt8(3) & 0xf;
  return encode(query, { rcode, flags: packet.RECURSION_AVAILABLE, answers: [...answers, ...found], authorities });
}

/** Null for bytes that are no DNS message: a server says nothing to those. */
function decode(bytes: Buffer): packet.DecodedPacket | null {
  try {
    return packet.decode(bytes);
  } catch {
    return null; // dns-packet throws whatever it stumbles over
  }
}

/** Null where the question's own name can't be written again: as good as no DNS message. */
function encode(query: packet.DecodedPacket, { rcode, flags = 0, ...sections }: DnsAnswer, idOffset = 0): Buffer | null {
  try {
    return packet.encode({
      ...sections,
      type: 'response',
      id: (query.id ?? 0) ^ idOffset,
      flags: flags | (query.flag_rd ? packet.RECURSION_DESIRED : 0) | rcode,
      questions: (query.questions ?? []).slice(0, 1),
    });
  } catch {
    return null; // what was a question's label may be too long after decoding
  }
}

function udpSizeOf(query: packet.DecodedPacket): number {
  const opt = (query.additionals ?? []).find((record) => record.type === 'OPT');
  return Math.max(DEFAULT_UDP_SIZE, opt?.type === 'OPT' ? opt.udpPayloadSize : 0);
}

function misbehaved(answer: DnsAnswer, how: Misbehaviour | undefined, zone: Zone | undefined): DnsAnswer {
  if (how === 'servfail') return { rcode: SERVFAIL };
  if (how === 'refused') return { rcode: REFUSED };
  if (how === 'self-referral' && zone) return { rcode: NOERROR, authorities: nsOf(zone) };
  if (how === 'lame') return { ...answer, flags: 0 };
  return answer;
}
