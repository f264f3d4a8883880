import { domainToUnicode } from 'node:url';
import { type CheckedRecord, delegationTarget, type Domain, isLive, type Order, type Renewal } from '@certwright/core';
import { type DnsRecord, presentCheck, presentDnsRecords } from '../present-dns';
import type { SetupRecord, SetupState, SetupView } from './view';

interface DomainState {
  order: Order | null;
  renewal: Pick<Renewal, 'manual'> | null;
  /** What was just seen of a domain that is not verified yet. */
  checked: CheckedRecord[];
  linkExpiresAt: Date;
  acmeZone: string | null;
}

/** The page's data. */
export function setupViewOf(domain: Domain, { order, renewal, checked, linkExpiresAt, acmeZone }: DomainState): SetupView {
  const live = order && isLive(order.status) ? order : null;
  const records = simplest(domain, checked.length > 0 ? presentCheck(domain, checked) : presentDnsRecords(domain, live, acmeZone), isThroughAlias(domain, live, acmeZone));
  const state = stateOf(domain, live, records);
  const lastLook = live?.authorizations.find(({ checkedAt }) => checkedAt)?.checkedAt ?? (checked.length > 0 ? new Date() : null);
  return {
    domain: { ascii: domain.name, unicode: domainToUnicode(domain.name) },
    state,
    ...WORDS[state],
    ...(state === 'checking' && (isUpToPlatform(domain, records) ? seen(records) : records.some(isAlias) && { sentence: STAYS })),
    ...(state === 'preparing' && (live?.reason ? { sentence: live.reason.detail } : live === null && !domain.auto && { sentence: NOT_ASKED_FOR })),
    ...(state === 'done' && { sentence: renews(domain, { order, renewal, acmeZone }) }),
    ...(state === 'failed' && { sentence: [domain.statusReason, domain.auto ? TRIED_AGAIN : WORDS.failed.sentence].filter(Boolean).join(' ') }),
    ...refused(domain, state),
    records: records.map((one) => toRecord(one, lastLook)),
    deadline: live?.status === 'awaiting_dns' ? (live.deadlineAt?.toISOString() ?? null) : null,
    nextCheckAt: live?.dueAt?.toISOString() ?? null,
    linkExpiresAt: linkExpiresAt.toISOString(),
  };
}

const isThere = ({ state, observed }: DnsRecord): boolean => state === 'ready' || observed.some((one) => one.state === 'match');

const isAlias = ({ purpose }: DnsRecord): boolean => purpose === 'delegation';

const isMissing = ({ purpose, state }: DnsRecord): boolean => purpose === 'delegation' && state !== null && state !== 'ready';

/** Of two ways one: the alias that is set once, unless it is not looked at, or the owner has begun with the other. */
function simplest({ status, auto, forecast }: Domain, records: DnsRecord[], isThrough: boolean): DnsRecord[] {
  const aliases = records.filter(isAlias);
  if (isThrough) return aliases.map((alias) => ({ ...alias, state: 'ready', message: null, action: null }));
  const others = records.filter(({ purpose }) => purpose !== 'delegation');
  const isLookedAt = status === 'pending' || auto || forecast?.needsValue === false;
  const isDone = aliases.every(({ state }) => state === 'ready');
  return aliases.length > 0 && isLookedAt && (isDone || !others.some(isThere)) ? aliases : others;
}

/** What the order's own look has found, before the day's look knows of it. */
function isThroughAlias(domain: Domain, live: Order | null, acmeZone: string | null): boolean {
  if (acmeZone === null || live === null || live.authorizations.length === 0) return false;
  return live.authorizations.every(({ evidence }) => evidence?.via.includes(delegationTarget(domain, acmeZone)));
}

/** Of an active domain that is renewed by hand, the record for the next certificate is asked for. */
function stateOf(domain: Domain, live: Order | null, records: DnsRecord[]): SetupState {
  const isBeingUsed = live !== null && live.status !== 'new' && live.status !== 'awaiting_dns' && records.length > 0 && !records.some(isAlias);
  if (domain.status === 'active' && isBeingUsed) return 'checking';
  const isBroken = domain.forecast !== null && !domain.forecast.isReady && domain.forecast.needsValue === false;
  if (domain.status === 'active' && live?.status !== 'awaiting_dns') return isBroken && records.some(isMissing) ? 'missing' : 'done';
  if (domain.status === 'failed') return 'failed';
  if (domain.status !== 'pending' && (live === null || live.status === 'new')) return records.some(isMissing) ? 'missing' : 'preparing';
  if (live !== null && live.status !== 'awaiting_dns') return 'checking';
  if (records.every(({ state }) => state === 'ready')) return 'checking';
  return records.some(isThere) ? 'partly' : 'missing';
}

const WORDS: Record<SetupState, { headline: string; sentence: string }> = {
  preparing: {
    headline: 'Nothing to do yet',
    sentence: 'The certificate is being prepared. If a record has to be set, it will be shown here. This page notices by itself.',
  },
  missing: {
    headline: 'One step left: set a DNS record',
    sentence: 'Sign in where your domain’s DNS is managed and add what is shown here. This page notices by itself.',
  },
  partly: {
    headline: 'Almost there',
    sentence: 'Not all of it is seen everywhere yet. Below is what each name server says.',
  },
  checking: {
    headline: 'Everything is in place',
    sentence: 'Nothing more to do: the certificate is being issued. Leave the record where it is until then.',
  },
  done: {
    headline: 'Done: the certificate is here',
    sentence: 'Your domain is secured.',
  },
  failed: {
    headline: 'It did not work this time',
    sentence: 'Ask whoever sent you this link to start again; you will be given a new value to set.',
  },
};

/** All that can be seen is there, and nothing goes on before the platform asks for it: by itself a domain goes on by its alias alone. */
const isUpToPlatform = ({ status, auto }: Domain, records: DnsRecord[]): boolean => status === 'pending' && !(auto && records.some(isAlias));

/** What stands in the way of the certificate, or of the next one, where no record that is shown is wrong. */
function refused({ auto, status, forecast }: Domain, state: SetupState): { headline?: string; sentence: string } | null {
  const { refusal = null, needsValue } = forecast ?? {};
  if (refusal === null) return null;
  if (state === 'done') return needsValue === false ? { sentence: `${SECURED} But as things are the next certificate will not come: ${refusal}` } : null;
  const isStuck = auto && (state === 'preparing' || (state === 'checking' && status === 'pending'));
  return isStuck ? { headline: 'Something else is in the way', sentence: refusal } : null;
}

const seen = (records: DnsRecord[]) => ({
  headline: 'We have found it',
  sentence: records.some(isAlias)
    ? 'Nothing to do right now: it is up to whoever sent you this link. Please leave the record in place for good, it is how the certificate comes and is renewed.'
    : 'Nothing to do right now: it is up to whoever sent you this link. Another record will follow, and is shown here then.',
});

const NOT_ASKED_FOR = 'It is up to whoever sent you this link. If a record has to be set, it will be shown here. This page notices by itself.';

/** What was seen last goes before what the certificate was made with; where neither is known nothing is said to be needless. */
function renews({ forecast }: Domain, { order, renewal, acmeZone }: Pick<DomainState, 'order' | 'renewal' | 'acmeZone'>): string {
  if (acmeZone !== null && forecast) return forecast.needsValue === true ? SECURED : RENEWS;
  const isKnown = renewal !== null && order?.authorizations.some(({ evidence }) => evidence !== null);
  if (!isKnown) return SECURED;
  return renewal.manual ? AGAIN : RENEWS;
}

const SECURED = WORDS.done.sentence;
const AGAIN = `${SECURED} The record that was asked for may be removed; the next certificate will need a new one, and you will be asked for it then.`;
const TRIED_AGAIN = 'It is tried again by itself; nothing new has to be set where the record is in place.';
const STAYS = 'Nothing more to do: the certificate is being issued. Please leave the record in place for good, it is how the certificate is renewed, too.';

/** The alias is how the next certificates come. */
const RENEWS = `${SECURED} Please leave the record in place: the certificate is renewed through it.`;

const toRecord = ({ observed, ...record }: DnsRecord, checkedAt: Date | null): SetupRecord => ({
  ...record,
  waiting: record.waiting ?? { helps: false, until: null },
  servers: observed,
  checkedAt: checkedAt?.toISOString() ?? null,
});
