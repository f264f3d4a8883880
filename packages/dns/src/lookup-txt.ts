import type { ServerAnswer, TxtEvidence, TxtLookup } from '@certwright/core';
import { type AskOptions, askServer, type Outcome } from './ask-server';
import { isUnder, lower, parentOf } from './names';
import { createResolver, type Resolver, systemResolvers } from './resolver';
import { conclude, isAnswering, loop, noZone } from './verdict';
import type { ServerAddress } from './wire';
import { serversAt, zoneOf } from './zone-cut';

export interface TxtLookupOptions {
  /** Recursive resolvers, for finding zones and their servers; none: the system's. */
  resolvers: ServerAddress[];
  /** Where authoritative servers listen: 53, but for tests. */
  authoritativePort: number;
  /** Whether to ask servers on addresses that are not public. */
  allowPrivate: boolean;
  /** Bound of one whole lookup, aliases included, in milliseconds. */
  timeoutMs: number;
}

const MAX_ALIASES = 8;
const MAX_REFERRALS = 8;

/** One silent server must not use up the time that the rest of the lookup needs. */
const QUERY_TIMEOUT_MS = 2_000;

/** The TxtLookup port over DNS. */
export function createTxtLookup(options: TxtLookupOptions): TxtLookup {
  const resolvers = options.resolvers.length > 0 ? options.resolvers : systemResolvers();
  return {
    async lookup(fqdn, expected) {
      const giveUpAt = performance.now() + options.timeoutMs;
      const budgetMs = (): number => Math.min(QUERY_TIMEOUT_MS, Math.max(0, giveUpAt - performance.now()));
      const resolver = createResolver(resolvers, budgetMs);
      return follow(lower(fqdn), expected, { ...options, budgetMs, resolver });
    },
  };
}

type Lookup = AskOptions & { resolver: Resolver };

/**
 * Asks for the name, then for what it is an alias of, until there is a TXT record or none. A server that answers without
 * the alias or the delegation that others give still counts: the CA may ask just that one.
 */
async function follow(fqdn: string, expected: string[], lookup: Lookup): Promise<TxtEvidence> {
  const via: string[] = [];
  const behind: ServerAnswer[] = [];
  for (let name = fqdn; ; ) {
    const asked = await askZone(name, expected, above(name, [fqdn, ...via]), lookup);
    if (!asked) return noZone(fqdn, via, lookup.resolver.answered());
    const alias = asked.outcomes.find((outcome) => outcome.alias !== null)?.alias ?? null;
    const answers = asked.outcomes.filter((outcome) => outcome.alias === null || outcome.alias !== alias);
    behind.push(...asked.behind);
    if (alias === null) return conclude(fqdn, via, asked.apex, { servers: answers.map(({ answer }) => answer), behind });
    behind.push(...answers.map(({ answer }) => answer).filter(isAnswering));
    if (alias === fqdn || via.includes(alias) || via.length >= MAX_ALIASES) return loop(fqdn, [...via, alias]);
    via.push(alias);
    name = alias;
  }
}

/**
 * Where the search for the zone of `name` starts: above it, and above all names asked for on the way to it, as an alias may
 * point below itself.
 */
function above(name: string, asked: string[]): string {
  let at = name;
  while (at !== '' && asked.some((one) => isUnder(at, one))) at = parentOf(at);
  return at;
}

interface Asked {
  apex: string;
  outcomes: Outcome[];
  /** What servers of the zones above said that should have referred to this one. */
  behind: ServerAnswer[];
}

/**
 * Asks all servers of the zone that `from` lies in, a name above `name`, and follows their referrals where `name`, or one
 * above it, is a zone of its own. So no resolver ever hears of the name: it would keep its absence for the negative TTL.
 */
async function askZone(name: string, expected: string[], from: string, lookup: Lookup): Promise<Asked | null> {
  let zone = await zoneOf(from, lookup.resolver);
  const behind: ServerAnswer[] = [];
  for (let referrals = 0; zone !== null; referrals += 1) {
    const { apex, servers } = zone;
    const outcomes = await Promise.all(servers.map((server) => askServer({ name, apex, expected }, server, lookup)));
    const referral = outcomes.find((outcome) => outcome.referral !== null)?.referral;
    if (!referral || referrals >= MAX_REFERRALS) {
      // A top-level domain that doesn't delegate the name holds nothing of its owner's.
      return apex.includes('.') ? { apex, outcomes, behind: notAmong(behind, servers) } : null;
    }
    behind.push(...outcomes.map(({ answer }) => answer).filter(isAnswering));
    zone = { apex: referral.apex, servers: await serversAt(referral.hosts, lookup.resolver) };
  }
  return null;
}

/** Servers that serve the zone below as well have had their say there. */
const notAmong = (answers: ServerAnswer[], servers: { address: string }[]): ServerAnswer[] =>
  answers.filter((answer) => !servers.some(({ address }) => address === answer.address));
