import type { CaaIssuer } from '@certwright/core';
import type { Answer, CaaAnswer } from 'dns-packet';
import { lower, parentOf, printable } from './names';
import type { Resolver } from './resolver';

/** The CAA records that decide about a name, and where they were found. */
export interface CaaSet {
  /** The name that has them: the name itself, or the closest one above it that has any. */
  at: string;
  records: CaaRecord[];
  /** In seconds: for how long a resolver may go on giving them. */
  ttl: number;
}

export interface CaaRecord {
  critical: boolean;
  tag: string;
  value: string;
}

/** A name has up to 127 labels, but a certificate's names are far shorter. */
const MAX_CLIMB = 32;

/** What CAs for TLS act on: any other one, marked critical, forbids (RFC 8659 section 4.5). */
const KNOWN_TAGS = ['issue', 'issuewild', 'iodef'];

const MAX_TAG = 32;
const MAX_VALUE = 255;

/** Nobody can tell which CAA records there are at this name: a CA must refuse then (RFC 8659 section 3). */
export interface Untold {
  untoldAt: string;
}

/** The CAA records at one name; null: there are none. */
export type CaaAt = CaaSet | Untold | null;

/**
 * Climbs the tree to the first name with CAA records (RFC 8659 section 3), with DNSSEC checked as the CA does; the resolver follows
 * aliases on the way. Null where there are none. What is above the name itself goes through `above`, which may know it.
 */
export async function relevantCaa(
  name: string,
  resolver: Pick<Resolver, 'askChecked'>,
  above: (at: string, look: () => Promise<CaaAt>) => Promise<CaaAt> = (_at, look) => look(),
): Promise<CaaAt> {
  let at = lower(name).replace(/^\*\./, '');
  for (let climbed = 0; at !== '' && climbed < MAX_CLIMB; climbed += 1, at = parentOf(at)) {
    const here = at;
    const look = (): Promise<CaaAt> => caaAt(here, resolver);
    const set = climbed === 0 ? await look() : await above(here, look);
    if (set !== null) return set;
  }
  return null;
}

async function caaAt(at: string, resolver: Pick<Resolver, 'askChecked'>): Promise<CaaAt> {
  const reply = await resolver.askChecked({ name: at, type: 'CAA' });
  if (reply?.rcode !== 'NOERROR' && reply?.rcode !== 'NXDOMAIN') return { untoldAt: at };
  const found = (reply.answers ?? []).filter(isCaa);
  if (found.length === 0) return null;
  const records = found.map(({ data }) => ({
    critical: ((data.flags ?? 0) & 0x80) !== 0 || data.issuerCritical === true,
    tag: printable(data.tag, MAX_TAG).toLowerCase(),
    value: printable(data.value, MAX_VALUE),
  }));
  const [owner = at] = found.map(({ name }) => lower(name));
  return { at: owner, records, ttl: Math.min(...found.map(({ ttl }) => ttl ?? 0)) };
}

const isCaa = (record: Answer): record is CaaAnswer => record.type === 'CAA';

/** Why a set of CAA records does not allow an issuer; null where it does. */
export type CaaRefusal = 'other-issuer' | 'no-issuer' | 'account' | 'method' | 'unknown-critical' | 'unreadable';

/** RFC 8659 section 4, RFC 8657; `wildcard`: for `*.name`, where `issuewild` goes before `issue`. */
export function refusalOf(records: CaaRecord[], wildcard: boolean, { identities, accountUri }: CaaIssuer): CaaRefusal | null {
  if (records.some(({ critical, tag }) => critical && !KNOWN_TAGS.includes(tag))) return 'unknown-critical';
  const of = (tag: string): Issue[] => records.filter((one) => one.tag === tag).map(({ value }) => parseIssue(value));
  const wild = wildcard ? of('issuewild') : [];
  const issues = wild.length > 0 ? wild : of('issue');
  if (issues.length === 0) return null;
  if (issues.every(({ issuer }) => issuer === '')) return 'no-issuer';
  const ours = issues.filter(({ issuer }) => identities.some((one) => lower(one) === issuer));
  if (ours.length === 0) return 'other-issuer';
  const readable = ours.filter(({ isSatisfiable }) => isSatisfiable);
  if (readable.length === 0) return 'unreadable';
  const byMethod = readable.filter(({ parameters }) => allowsDns01(parameters.get('validationmethods')));
  if (byMethod.length === 0) return 'method';
  const byAccount = byMethod.filter(({ parameters }) => {
    const uri = parameters.get('accounturi');
    return uri === undefined || accountUri === null || uri === accountUri;
  });
  return byAccount.length === 0 ? 'account' : null;
}

const allowsDns01 = (methods: string | undefined): boolean =>
  methods === undefined || methods.split(',').map((one) => one.trim().toLowerCase()).includes('dns-01');

interface Issue {
  /** Empty: nobody may issue. A value that can't be read names nobody (RFC 8659 section 4.2). */
  issuer: string;
  parameters: Map<string, string>;
  /** False where a parameter is there twice or can't be read: then it allows nothing (RFC 8657 section 3, RFC 8659 section 4.2). */
  isSatisfiable: boolean;
}

function parseIssue(value: string): Issue {
  const [issuer = '', ...rest] = value.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  let isSatisfiable = true;
  for (const part of rest.filter((one) => one !== '')) {
    const [, tag = '', text = ''] = /^([a-z0-9]+(?:-+[a-z0-9]+)*)\s*=\s*([\x21-\x7e]*)$/i.exec(part) ?? [];
    if (tag === '' || parameters.has(tag.toLowerCase())) isSatisfiable = false;
    else parameters.set(tag.toLowerCase(), text);
  }
  return { issuer: lower(issuer), parameters, isSatisfiable };
}
