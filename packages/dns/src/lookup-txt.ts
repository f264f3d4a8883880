import { isPublicSuffix, type ServerAnswer, type TxtEvidence } from '@certwright/core';
import { type AskOptions, askServer, type Outcome } from './ask-server';
import { type Budget, createBudget, TooManyQueries } from './budget';
import { isUnder, lower, parentOf } from './names';
import { createResolvers, systemResolvers } from './resolver';
import { createSilence, PATIENT, type Silence } from './silence';
import { conclude, isAnswering, loop, noZone, tooMany } from './verdict';
import type { ServerAddress } from './wire';
import type { NameServer } from './zone-cut';
import { createZones, type FoundZone, type Zone, type Zones } from './zones';

export interface TxtLookupOptions {
  /** Recursive resolvers, for finding zones and their servers; none: the system's. */
  resolvers: ServerAddress[];
  /** Where authoritative servers listen: 53, but for tests. */
  authoritativePort: number;
  /** Whether to ask servers on addresses that are not public. */
  allowPrivate: boolean;
  /** Bound of one whole lookup, aliases included, in milliseconds. */
  timeoutMs: number;
  /** A monotonic clock in milliseconds, for how long it is known where a zone is. */
  now?: () => number;
}

const MAX_ALIASES = 8;
const MAX_REFERRALS = 8;
const MAX_GLUE = 4;

/** Two zones with as many servers as are asked at all. */
const MAX_QUERIES = 100;

/** As the port has it; within what is left of a budget, where there is one. */
export type BudgetedLookup = (fqdn: string, expected: string[], budget?: Budget) => Promise<TxtEvidence>;

/** The TxtLookup port over DNS. Where zones are is remembered from lookup to lookup; what is in them never is. */
export function createTxtLookup(options: TxtLookupOptions): { lookup: BudgetedLookup } {
  const resolvers = createResolvers(options.resolvers.length > 0 ? options.resolvers : systemResolvers());
  const { timeoutMs, now = () => performance.now() } = options;
  const zones = createZones({ resolvers, timeoutMs, now });
  const silence = createSilence(now);
  return {
    async lookup(fqdn, expected, given) {
      const budget = given ?? createBudget(timeoutMs, MAX_QUERIES);
      let via: string[] = [];
      const search = (patience: Silence, hurried: string[]): Promise<TxtEvidence> => {
        via = [];
        return follow({ fqdn: lower(fqdn), expected, via, zones, budget, silence: patience, hurried, ...options, budgetMs: budget.queryMs });
      };
      try {
        const hurried: string[] = [];
        const evidence = await search(silence, hurried);
        // No server counts as one that doesn't answer, to the CA, because we were short of patience.
        return evidence.verdict === 'ready' && hurried.length > 0 ? await search(PATIENT, []) : evidence;
      } catch (error) {
        if (error instanceof TooManyQueries) return tooMany(lower(fqdn), via, error.max);
        throw error;
      }
    },
  };
}

interface Lookup extends AskOptions {
  fqdn: string;
  expected: string[];
  /** The aliases followed so far. */
  via: string[];
  zones: Zones;
  budget: Budget;
}

/**
 * Asks for the name, then for what it is an alias of, until there is a TXT record or none. A server that answers without
 * the alias or the delegation that others give still counts: the CA may ask just that one.
 */
async function follow(lookup: Lookup): Promise<TxtEvidence> {
  const { fqdn, via } = lookup;
  const behind: ServerAnswer[] = [];
  let besideAlias = false;
  for (let name = fqdn; ; ) {
    const asked = await askZone(name, above(name, [fqdn, ...via]), lookup);
    if (asked.apex === null) return noZone(fqdn, via, asked.resolved);
    const alias = asked.outcomes.find((outcome) => outcome.alias !== null)?.alias ?? null;
    const answers = asked.outcomes.filter((outcome) => outcome.alias === null || outcome.alias !== alias);
    behind.push(...asked.behind);
    besideAlias ||= asked.outcomes.some((outcome) => outcome.besideAlias);
    if (alias === null) {
      const evidence = conclude(fqdn, via, asked.apex, { servers: answers.map(({ answer }) => answer), behind });
      return besideAlias ? { ...evidence, besideAlias } : evidence;
    }
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

type Asked =
  | { apex: null; resolved: boolean }
  | {
      apex: string;
      resolved: true;
      outcomes: Outcome[];
      /** What servers of the zones above said that should have referred to this one. */
      behind: ServerAnswer[];
    };

/**
 * Asks all servers of the zone that `from` lies in, a name above `name`, and follows their referrals where `name`, or one
 * above it, is a zone of its own. So no resolver ever hears of the name: it would keep its absence for the negative TTL.
 */
async function askZone(name: string, from: string, { zones, budget, expected, ...options }: Lookup): Promise<Asked> {
  const { spend } = budget;
  const nowhere: FoundZone = { zone: null, answered: false };
  let { zone, answered } = (await budget.inTime(zones.nearest(from, spend))) ?? nowhere;
  let again = false;
  const behind: ServerAnswer[] = [];
  let glue: NameServer[] = [];
  for (let referrals = 0; zone !== null; ) {
    const { apex, hosts }: Zone = zone;
    const found = await budget.inTime(zones.serversAt(hosts, spend));
    if (!found) return { apex: null, resolved: false };
    const servers = withGlue(found, glue);
    spend(servers.length);
    const outcomes = await Promise.all(servers.map((server) => askServer({ name, apex, expected }, server, options)));
    const moved = referrals === 0 && outcomes.some((outcome) => contradicts(outcome, apex, from));
    if (!again && (moved || !(zone.sure || vouched(outcomes, apex)))) {
      again = true;
      ({ zone, answered } = (await budget.inTime(zones.exact(from, spend, { anew: moved }))) ?? nowhere);
      if (zone?.apex !== apex) continue;
    }
    const referral = outcomes.find((outcome) => outcome.referral !== null)?.referral;
    if (!referral || referrals >= MAX_REFERRALS) {
      // A top-level domain that doesn't delegate the name holds nothing of its owner's.
      if (isPublicSuffix(apex)) break;
      return { apex, resolved: true, outcomes, behind: notAmong(behind, servers) };
    }
    behind.push(...outcomes.map(({ answer }) => answer).filter(isAnswering));
    zone = { apex: referral.apex, hosts: referral.hosts, sure: true };
    glue = referral.glue;
    referrals += 1;
  }
  return { apex: null, resolved: answered };
}

/** Hosts inside a zone that nobody serves can't be looked up: what the delegation says of them is all there is. */
const withGlue = (servers: NameServer[], glue: NameServer[]): NameServer[] =>
  servers.flatMap((one) => {
    const given = one.address === '' ? glue.filter(({ server }) => server === one.server) : [];
    return given.length > 0 ? given.slice(0, MAX_GLUE) : [one];
  });

/** Whether a server says that `from` lies in another zone than that of `apex`. */
const contradicts = ({ denier, referral }: Outcome, apex: string, from: string): boolean =>
  (denier !== null && denier !== apex && isUnder(from, denier)) || (referral !== null && isUnder(from, referral.apex));

/**
 * Whether the servers of a zone that lies above the name show that no other lies between. Only a denial does, by the SOA
 * that comes with it (RFC 2308 section 2): with records a server may speak for a zone below that others serve as well.
 */
const vouched = (outcomes: Outcome[], apex: string): boolean => {
  const speaking = outcomes.filter(({ answer, referral }) => isAnswering(answer) || referral !== null);
  return speaking.length > 0 && speaking.every(({ denier }) => denier === apex);
};

/** Servers that serve the zone below as well have had their say there. */
const notAmong = (answers: ServerAnswer[], servers: { address: string }[]): ServerAnswer[] =>
  answers.filter((answer) => !servers.some(({ address }) => address === answer.address));
