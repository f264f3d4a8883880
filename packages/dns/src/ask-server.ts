import type { ServerAnswer, ServerState } from '@certwright/core';
import type { TxtAnswer } from 'dns-packet';
import { isName, isUnder, lower, printable } from './names';
import { isPublicAddress } from './public-address';
import type { DnsReply } from './message';
import type { Silence } from './silence';
import { DnsWireError, query } from './wire';
import { type NameServer, strings } from './zone-cut';

/** What one authoritative server gave: an answer, or where to go on from it. */
export interface Outcome {
  answer: ServerAnswer;
  /** What the name is an alias of. */
  alias: string | null;
  /** The name has TXT records as well as an alias. */
  besideAlias: boolean;
  /** The zone below, and its NS hosts, that the server delegates the name to. */
  referral: { apex: string; hosts: string[]; glue: NameServer[] } | null;
  /** The zone for which the server says that the name has no such record: the owner of the SOA (RFC 2308 section 2). */
  denier: string | null;
}

export interface AskOptions {
  /** Where authoritative servers listen: 53, but for tests. */
  authoritativePort: number;
  /** Whether to ask servers on addresses that are not public. */
  allowPrivate: boolean;
  /** How long one query may take now, in milliseconds; 0 when the time is up. */
  budgetMs(): number;
  silence: Silence;
  /** Servers that were given less time than there was, for they had let us wait before. */
  hurried: string[];
}

const MAX_VALUES = 10;
const MAX_VALUE_LENGTH = 255;

const kept = (values: string[]): string[] =>
  values.slice(0, MAX_VALUES).map((value) => printable(value, MAX_VALUE_LENGTH));

interface Wanted {
  name: string;
  /** Of the zone that the server is asked as one of. */
  apex: string;
  expected: string[];
}

/** Asks one server of the zone at `apex` for the TXT records of `name`. */
export async function askServer(wanted: Wanted, server: NameServer, options: AskOptions): Promise<Outcome> {
  const { address } = server;
  if (address === '') return said(server, server.untold ? 'timeout' : 'unreachable');
  if (!options.allowPrivate && !isPublicAddress(address)) return said(server, 'not_public');
  const { silence, hurried } = options;
  const budgetMs = options.budgetMs();
  if (budgetMs <= 0) return said(server, 'timeout');
  const timeoutMs = silence.patienceMs(address, budgetMs);
  if (timeoutMs < budgetMs) hurried.push(address);
  try {
    const reply = await query({ name: wanted.name, type: 'TXT' }, { address, port: options.authoritativePort }, { timeoutMs });
    silence.noted(address, { answered: true, waitedMs: timeoutMs });
    return outcomeOf(reply, wanted, server);
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error;
    silence.noted(address, { answered: error.code !== 'timeout', waitedMs: timeoutMs });
    return said(server, error.code);
  }
}

const said = ({ server, address }: NameServer, state: ServerState, values: string[] = []): Outcome => ({
  answer: { server, address, state, values: kept(values) },
  alias: null,
  besideAlias: false,
  referral: null,
  denier: null,
});

/** Never throws, whatever a server has put into its reply. */
export function outcomeOf(reply: DnsReply, { name, apex, expected }: Wanted, server: NameServer): Outcome {
  const failure = failureOf(reply);
  if (failure) return { ...said(server, failure), referral: referralOf(reply, name, apex) };
  const [alias] = strings(reply.answers?.filter((record) => lower(record.name) === name), 'CNAME');
  const values = txtValues(reply, name);
  if (alias !== undefined) {
    return isName(alias) ? { ...said(server, 'mismatch'), alias, besideAlias: values.length > 0 } : said(server, 'malformed');
  }
  if (values.length === 0) {
    return { ...said(server, reply.rcode === 'NXDOMAIN' ? 'nxdomain' : 'nodata'), denier: denierOf(reply, name) };
  }
  return said(server, expected.every((value) => values.includes(value)) ? 'match' : 'mismatch', values);
}

function failureOf(reply: DnsReply): ServerState | null {
  if (reply.rcode === 'REFUSED' || reply.rcode === 'NOTAUTH') return 'refused';
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return 'servfail';
  return reply.flag_aa ? null : 'lame';
}

/** A referral speaks without authority, and leads down: never to the zone itself or up from it (RFC 1034 section 4.3.2). */
function referralOf(reply: DnsReply, name: string, apex: string): Outcome['referral'] {
  if (reply.rcode !== 'NOERROR' || reply.flag_aa || (reply.answers ?? []).length > 0) return null;
  const delegates = (owner: string): boolean => isUnder(name, owner) && isUnder(owner, apex) && owner !== apex;
  const records = (reply.authorities ?? []).filter(({ type, name: owner }) => type === 'NS' && delegates(lower(owner)));
  const [first] = records;
  if (!first) return null;
  const below = lower(first.name);
  const hosts = strings(records.filter((record) => lower(record.name) === below), 'NS');
  return { apex: below, hosts, glue: glueFor(hosts, reply) };
}

/** Addresses that come along with a delegation (RFC 9471). */
const glueFor = (hosts: string[], { additionals = [] }: DnsReply): NameServer[] =>
  additionals.flatMap((record) =>
    (record.type === 'A' || record.type === 'AAAA') && hosts.includes(lower(record.name)) ? [{ server: lower(record.name), address: record.data }] : [],
  );

function denierOf(reply: DnsReply, name: string): string | null {
  const soa = reply.authorities?.find((record) => record.type === 'SOA' && isUnder(name, lower(record.name)));
  return soa ? lower(soa.name) : null;
}

/** The strings of one record belong together (RFC 7208 section 3.3 has the same rule). */
export function txtValues(reply: DnsReply, name: string): string[] {
  return (reply.answers ?? [])
    .filter((record): record is TxtAnswer => record.type === 'TXT' && lower(record.name) === name)
    .map(({ data }) => {
      const parts = Array.isArray(data) ? data : [data];
      return Buffer.concat(parts.map((part) => Buffer.from(part))).toString();
    });
}
