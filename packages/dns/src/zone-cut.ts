import type { Answer, StringAnswer } from 'dns-packet';
import { isName, isUnder, lower, parentOf, printable } from './names';
import type { Resolver } from './resolver';

export interface NameServer {
  /** The NS host name. */
  server: string;
  /** Empty where the host name has none. */
  address: string;
}

export interface ZoneServers {
  apex: string;
  servers: NameServer[];
}

/** A zone with more servers or addresses than this gains nothing from our asking all of them. */
const MAX_NS = 16;
const MAX_ADDRESSES = 16;
const MAX_HOST = 255;

/** The zone that `name` lies in and its servers, through resolvers; null where there is none. */
export async function zoneOf(name: string, resolver: Resolver): Promise<ZoneServers | null> {
  const apex = await apexOf(name, resolver);
  if (apex === null) return null;
  const reply = await resolver.ask({ name: apex, type: 'NS' });
  return { apex, servers: await serversAt(strings(reply?.answers, 'NS'), resolver) };
}

/** Climbs until a zone's SOA turns up, in the answer or as the authority for its absence (RFC 2308 section 2). */
async function apexOf(name: string, resolver: Resolver): Promise<string | null> {
  for (let at = lower(name); at !== ''; at = parentOf(at)) {
    const reply = await resolver.ask({ name: at, type: 'SOA' });
    const soa = [...(reply?.answers ?? []), ...(reply?.authorities ?? [])].find(
      (record) => record.type === 'SOA' && isUnder(at, lower(record.name)),
    );
    if (!soa) continue;
    const apex = lower(soa.name);
    const unregistered = reply?.rcode === 'NXDOMAIN' && !apex.includes('.');
    return apex === '' || unregistered ? null : apex;
  }
  return null;
}

/** The addresses of NS hosts; a host without any is kept, so that the evidence can name it. */
export async function serversAt(hosts: string[], resolver: Resolver): Promise<NameServer[]> {
  const perHost = await Promise.all(
    hosts.slice(0, MAX_NS).map(async (host) => {
      const [v4, v6] = await Promise.all([addresses(host, 'A', resolver), addresses(host, 'AAAA', resolver)]);
      const server = printable(host, MAX_HOST) || '.';
      const all = [...v4, ...v6].map((address) => ({ server, address }));
      return all.length > 0 ? all : [{ server, address: '' }];
    }),
  );
  // Over the bound it is a host's further addresses that go, before any host does.
  const kept = perHost
    .flatMap((all) => all.map((one, rank) => ({ one, rank })))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_ADDRESSES)
    .map(({ one }) => one);
  return perHost.flat().filter((one) => kept.includes(one));
}

const addresses = async (host: string, type: 'A' | 'AAAA', resolver: Resolver): Promise<string[]> =>
  isName(host) ? strings((await resolver.ask({ name: host, type }))?.answers, type) : [];

/** The names or addresses in all records of a type. */
export const strings = (records: Answer[] | undefined, type: 'NS' | 'A' | 'AAAA' | 'CNAME'): string[] =>
  (records ?? [])
    .filter((record): record is StringAnswer => record.type === type)
    .map(({ data }) => (type === 'NS' || type === 'CNAME' ? lower(data) : data));
