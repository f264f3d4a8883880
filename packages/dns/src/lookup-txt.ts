import { getServers } from 'node:dns';
import type { ServerAnswer, ServerState, TxtEvidence, TxtLookup } from '@certwright/core';
import type { TxtAnswer } from 'dns-packet';
import { isPublicAddress } from './public-address';
import { conclude, loop } from './verdict';
import { type DnsReply, DnsWireError, query, type ServerAddress } from './wire';
import { addressesOf, type Asking, type NameServer, serversOf, strings } from './zone-cut';

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
const MAX_REFERRALS = 3;

/** One silent server must not use up the time that the rest of the lookup needs. */
const QUERY_TIMEOUT_MS = 2_000;

const MAX_VALUES = 10;
const MAX_VALUE_LENGTH = 255;

const lower = (name: string): string => name.toLowerCase().replace(/\.$/, '');
const parentOf = (name: string): string => name.slice(name.indexOf('.') + 1);

/** The TxtLookup port over DNS. */
export function createTxtLookup(options: TxtLookupOptions): TxtLookup {
  const resolvers = options.resolvers.length > 0 ? options.resolvers : systemResolvers();
  return {
    async lookup(fqdn, expected) {
      const giveUpAt = performance.now() + options.timeoutMs;
      const asking: Asking = {
        resolvers,
        budgetMs: () => Math.min(QUERY_TIMEOUT_MS, Math.max(0, giveUpAt - performance.now())),
      };
      return follow(lower(fqdn), expected, { ...options, asking });
    },
  };
}

/** `getServers` gives `address`, `address:port` or `[address]:port`. */
const systemResolvers = (): ServerAddress[] =>
  getServers().map((text) => {
    const [, bracketed, port] = /^\[(.*)\]:(\d+)$/.exec(text) ?? /^([\d.]+):(\d+)$/.exec(text) ?? [];
    return { address: bracketed ?? text, port: Number(port ?? 53) };
  });

type Lookup = TxtLookupOptions & { asking: Asking };

/** Asks for the name, and for what it is an alias of, until there is a TXT record or none. */
async function follow(fqdn: string, expected: string[], lookup: Lookup): Promise<TxtEvidence> {
  const names = [fqdn];
  for (let name = fqdn; ; ) {
    const { apex, outcomes } = await askZone(name, expected, lookup);
    const via = names.slice(1);
    const alias = outcomes.find(({ cname }) => cname !== null)?.cname;
    if (!alias) return conclude(fqdn, via, apex, outcomes.map(({ answer }) => answer));
    if (names.includes(alias) || via.length >= MAX_ALIASES) return loop(fqdn, [...via, alias]);
    names.push(alias);
    name = alias;
  }
}

interface Outcome {
  answer: ServerAnswer;
  cname: string | null;
  /** The name servers of a zone below, where the server delegates the name. */
  referral: string[];
}

/**
 * Asks all servers of the zone that the name's parent lies in. Where they delegate the name itself, the servers they
 * name are asked instead: no resolver hears of the name.
 */
async function askZone(name: string, expected: string[], lookup: Lookup): Promise<{ apex: string | null; outcomes: Outcome[] }> {
  const zone = await serversOf(parentOf(name), lookup.asking);
  let apex = zone?.apex ?? null;
  let servers = zone?.servers ?? [];
  for (let referrals = 0; ; referrals += 1) {
    const outcomes = await Promise.all(servers.map((server) => askServer(name, expected, server, lookup)));
    const referral = outcomes.find(({ referral: hosts }) => hosts.length > 0)?.referral;
    if (!referral || referrals >= MAX_REFERRALS) return { apex, outcomes };
    apex = name;
    servers = await addressesOf(referral, lookup.asking);
  }
}

async function askServer(name: string, expected: string[], { server, address }: NameServer, lookup: Lookup): Promise<Outcome> {
  const outcome = (state: ServerState, values: string[] = [], more: Partial<Outcome> = {}): Outcome => ({
    answer: { server, address, state, values: values.slice(0, MAX_VALUES).map((value) => value.slice(0, MAX_VALUE_LENGTH)) },
    cname: null,
    referral: [],
    ...more,
  });
  if (!lookup.allowPrivate && !isPublicAddress(address)) return outcome('not_public');
  const timeoutMs = lookup.asking.budgetMs();
  if (timeoutMs <= 0) return outcome('timeout');
  try {
    const reply = await query({ name, type: 'TXT' }, { address, port: lookup.authoritativePort }, { timeoutMs });
    const failure = failureOf(reply);
    if (failure) return outcome(failure, [], { referral: referralOf(reply, name) });
    const [cname] = strings(reply.answers?.filter((record) => lower(record.name) === name), 'CNAME');
    if (cname !== undefined) return outcome('nodata', [], { cname });
    const values = txtValues(reply, name);
    if (values.length === 0) return outcome(reply.rcode === 'NXDOMAIN' ? 'nxdomain' : 'nodata');
    return outcome(expected.every((value) => values.includes(value)) ? 'match' : 'mismatch', values);
  } catch (error) {
    if (error instanceof DnsWireError) return outcome(error.code);
    throw error;
  }
}

function failureOf(reply: DnsReply): ServerState | null {
  if (reply.rcode === 'REFUSED' || reply.rcode === 'NOTAUTH') return 'refused';
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return 'servfail';
  return reply.flag_aa ? null : 'lame';
}

/** A referral speaks without authority and names the servers of the name's own zone. */
const referralOf = (reply: DnsReply, name: string): string[] =>
  reply.rcode === 'NOERROR' && !reply.flag_aa && (reply.answers ?? []).length === 0
    ? strings(reply.authorities?.filter((record) => lower(record.name) === name), 'NS')
    : [];

/** The strings of one record belong together (RFC 7208 section 3.3 has the same rule). */
function txtValues(reply: DnsReply, name: string): string[] {
  return (reply.answers ?? [])
    .filter((record): record is TxtAnswer => record.type === 'TXT' && lower(record.name) === name)
    .map(({ data }) => {
      const parts = Array.isArray(data) ? data : [data];
      return Buffer.concat(parts.map((part) => Buffer.from(part))).toString();
    });
}
