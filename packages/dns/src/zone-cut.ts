import type { Answer, StringAnswer } from 'dns-packet';
import { isPublicSuffix } from '@certwright/core';
import { isName, isUnder, lower, parentOf, printable } from './names';
import type { Resolver } from './resolver';
import type { Loaded } from './ttl-cache';

export interface NameServer {
  /** The NS host name. */
  server: string;
  /** Empty where the host name has none, or nobody can tell. */
  address: string;
  /** Nobody can tell. */
  untold?: true;
}

export interface Cut {
  /** Null where the name lies in nobody's zone, or nobody can tell. */
  apex: string | null;
  /** Whether any resolver gave any answer. */
  answered: boolean;
}

/** A zone with more servers or addresses than this gains nothing from our asking all of them. */
const MAX_NS = 16;
const MAX_ADDRESSES = 16;
const MAX_HOST = 255;

/** Climbing goes on only past failures and aliases; a name has up to 127 labels. */
const MAX_CLIMB = 8;

/** Climbs until a zone's SOA turns up, in the answer or as the authority for its absence (RFC 2308 section 2). */
export async function cutAbove(name: string, resolver: Pick<Resolver, 'ask'>): Promise<Loaded<Cut>> {
  let answered = false;
  let at = lower(name);
  for (let climbed = 0; at !== '' && climbed < MAX_CLIMB; climbed += 1, at = parentOf(at)) {
    const reply = await resolver.ask({ name: at, type: 'SOA' });
    answered ||= reply !== null;
    const soa = [...(reply?.answers ?? []), ...(reply?.authorities ?? [])].find(
      (record) => record.type === 'SOA' && isUnder(at, lower(record.name)),
    );
    if (!soa) continue;
    const apex = lower(soa.name);
    const unregistered = reply?.rcode === 'NXDOMAIN' && isPublicSuffix(apex);
    const none = apex === '' || unregistered;
    // What is registered the next minute must be found then.
    return { value: { apex: none ? null : apex, answered }, ttl: none ? null : shortestTtl([soa]) };
  }
  return { value: { apex: null, answered }, ttl: null };
}

/** The NS hosts of a zone, no more than are asked; null where no resolver can tell. */
export async function hostsOf(apex: string, resolver: Pick<Resolver, 'ask'>): Promise<Loaded<string[] | null>> {
  const reply = await resolver.ask({ name: apex, type: 'NS' });
  if (!reply) return { value: null, ttl: null };
  return { value: strings(reply.answers, 'NS').slice(0, MAX_NS), ttl: shortestTtl(reply.answers) };
}

/**
 * A host's addresses, no more than are asked; null where no resolver can tell. Where only one family can be looked up, it is kept for
 * the shortest time.
 */
export async function addressesOf(host: string, resolver: Pick<Resolver, 'ask'>): Promise<Loaded<string[] | null>> {
  const [v4, v6] = await Promise.all([resolver.ask({ name: host, type: 'A' }), resolver.ask({ name: host, type: 'AAAA' })]);
  const value = [...strings(v4?.answers, 'A'), ...strings(v6?.answers, 'AAAA')].slice(0, MAX_ADDRESSES);
  if (v4 && v6) return { value, ttl: shortestTtl([...(v4.answers ?? []), ...(v6.answers ?? [])]) };
  return value.length > 0 ? { value, ttl: 0 } : { value: null, ttl: null };
}

/** 0 for an answer without records: what doesn't exist yet is soon asked for again. */
const shortestTtl = (records: Answer[] = []): number =>
  records.length > 0 ? Math.min(...records.map((record) => ('ttl' in record ? (record.ttl ?? 0) : 0))) : 0;

/** The addresses of NS hosts; a host without any is kept, so that the evidence can name it. */
export async function serversAt(
  hosts: string[],
  addresses: (host: string) => Promise<string[] | null>,
): Promise<NameServer[]> {
  const perHost = await Promise.all(
    hosts.slice(0, MAX_NS).map(async (host) => {
      const all = isName(host) ? await addresses(host) : [];
      const server = printable(host, MAX_HOST) || '.';
      if (all === null) return [{ server, address: '', untold: true as const }];
      return (all.length > 0 ? all : ['']).map((address): NameServer => ({ server, address }));
    }),
  );
  // Over the bound it is a host's further addresses that go, before any host does.
  const kept = perHost
    .flatMap((all) => all.map((one, rank) => ({ one, rank })))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_ADDRESSES)
    .map(({ one }) => one);
  // Several hosts at one address are one server: it is asked once.
  const isFirst = ({ address }: NameServer, at: number, all: NameServer[]): boolean =>
    address === '' || all.findIndex((one) => one.address === address) === at;
  return perHost.flat().filter((one) => kept.includes(one)).filter(isFirst);
}

/** The names or addresses in all records of a type. */
export const strings = (records: Answer[] | undefined, type: 'NS' | 'A' | 'AAAA' | 'CNAME'): string[] =>
  (records ?? [])
    .filter((record): record is StringAnswer => record.type === type)
    .map(({ data }) => (type === 'NS' || type === 'CNAME' ? lower(data) : data));
