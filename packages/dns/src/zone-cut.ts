import type { Answer, StringAnswer } from 'dns-packet';
import { type DnsReply, DnsWireError, query, type Question, type ServerAddress } from './wire';

export interface NameServer {
  /** The NS host name. */
  server: string;
  address: string;
}

export interface ZoneServers {
  apex: string;
  servers: NameServer[];
}

/** What a lookup has at hand: the resolvers, and the time that is left. */
export interface Asking {
  resolvers: ServerAddress[];
  /** Milliseconds that one query may take now; 0 when the time is up. */
  budgetMs(): number;
}

/** A zone with more addresses than this gains nothing from our asking all of them. */
const MAX_ADDRESSES = 16;
const MAX_NS = 8;

const lower = (name: string): string => name.toLowerCase().replace(/\.$/, '');
const parentOf = (name: string): string => name.slice(name.indexOf('.') + 1);
const isUnder = (name: string, apex: string): boolean => name === apex || name.endsWith(`.${apex}`);

/**
 * The servers of the zone that `name` lies in, or null where the resolvers find none. Resolvers are asked for the zones
 * above only, never for the name itself: they would keep its absence for as long as the zone's negative TTL says.
 */
export async function serversOf(name: string, asking: Asking): Promise<ZoneServers | null> {
  const apex = await apexOf(name, asking);
  if (apex === null) return null;
  const reply = await ask({ name: apex, type: 'NS' }, asking);
  const hosts = strings(reply?.answers, 'NS').slice(0, MAX_NS);
  return { apex, servers: await addressesOf(hosts, asking) };
}

/** Climbs until a zone's SOA turns up, in the answer or as the authority for its absence (RFC 2308 section 2). */
async function apexOf(name: string, asking: Asking): Promise<string | null> {
  for (let at = lower(name); at.includes('.'); at = parentOf(at)) {
    const reply = await ask({ name: at, type: 'SOA' }, asking);
    const soa = [...(reply?.answers ?? []), ...(reply?.authorities ?? [])].find(
      (record) => record.type === 'SOA' && isUnder(at, lower(record.name)),
    );
    if (soa) return lower(soa.name) || null;
  }
  return null;
}

export async function addressesOf(hosts: string[], asking: Asking): Promise<NameServer[]> {
  const found = await Promise.all(
    hosts.map(async (server) => {
      const replies = await Promise.all(
        (['A', 'AAAA'] as const).map(async (type) => strings((await ask({ name: server, type }, asking))?.answers, type)),
      );
      return replies.flat().map((address) => ({ server, address }));
    }),
  );
  return found.flat().slice(0, MAX_ADDRESSES);
}

/** The first resolver's answer that is one; null when there is none. */
async function ask(question: Question, { resolvers, budgetMs }: Asking): Promise<DnsReply | null> {
  for (const resolver of resolvers) {
    const timeoutMs = budgetMs();
    if (timeoutMs <= 0) return null;
    try {
      // Checking disabled: a zone whose DNSSEC is broken is still found, and its servers asked.
      const reply = await query(question, resolver, { timeoutMs, recursionDesired: true, checkingDisabled: true });
      if (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN') return reply;
    } catch (error) {
      if (!(error instanceof DnsWireError)) throw error;
    }
  }
  return null;
}

/** The names or addresses in all records of a type. */
export const strings = (records: Answer[] | undefined, type: 'NS' | 'A' | 'AAAA' | 'CNAME'): string[] =>
  (records ?? [])
    .filter((record): record is StringAnswer => record.type === type)
    .map(({ data }) => (type === 'NS' || type === 'CNAME' ? lower(data) : data));
