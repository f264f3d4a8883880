import { domainToUnicode } from 'node:url';
import { challengeName, challengeNames, type CheckedRecord, type Domain, isLive, type Order, ownedBases, ownershipName, type Renewal } from '@certwright/core';
import { type DnsRecord, presentCheck, presentDnsRecords } from '../present-dns';
import { isAliasThere, reliesOnAlias, seenAliases } from '../seen-alias';
import { isAlias, isMissing, sentencesOf } from './sentences';
import type { SetupRecord, SetupState, SetupView } from './view';

interface DomainState {
  /** The newest. */
  order: Order | null;
  renewal: Pick<Renewal, 'manual' | 'notAfter'> | null;
  /** What was just seen of a domain that no order looks at; empty: nobody has looked. */
  checked: CheckedRecord[];
  linkExpiresAt: Date;
  acmeZone: string | null;
}

/** The page's data. */
export function setupViewOf(domain: Domain, { order, renewal, checked, linkExpiresAt, acmeZone }: DomainState): SetupView {
  const live = order && isLive(order.status) ? order : null;
  // Once the domain is verified, a look without an answer is not what its owner has to mend.
  const isTold = checked.length > 0 && (domain.status === 'pending' || checked.every(({ diagnosis: { code } }) => isAliasThere(code) !== null));
  const all = isTold ? presentCheck(domain, checked) : presentDnsRecords(domain, live, acmeZone);
  const isInPlace = ({ fqdn, state: code, ...record }: DnsRecord): boolean =>
    isAlias(record) && ((code !== null && isAliasThere(code) === true) || (live !== null && seenAliases(domain, live, [fqdn], acmeZone)[0]?.isThere === true));
  const isByAlias = reliesOnAlias(domain, renewal);
  const records = simplest(domain, all, { isInPlace, isByAlias });
  const isExpired = renewal !== null && renewal.notAfter <= new Date();
  const state = stateOf(domain, { live, records, isInPlace, isByAlias, isExpired });
  const seen = order ? seenAliases(domain, order, challengeNames(order.names), acmeZone) : [];
  const lastLook = live?.authorizations.find(({ checkedAt }) => checkedAt)?.checkedAt ?? (isTold ? new Date() : null);
  return {
    domain: { ascii: domain.name, unicode: domainToUnicode(domain.name) },
    state,
    ...sentencesOf(state, { domain, order, live, records, renewal, isByAlias, delegated: seen.filter(({ isThere: one }) => one === true).length, isExpired }),
    // What nobody has looked for yet may be there, or not be needed.
    records: records.filter((one) => state !== 'preparing' || one.state !== null).map((one) => toRecord(one, lastLook)),
    deadline: live?.status === 'awaiting_dns' ? (live.deadlineAt?.toISOString() ?? null) : null,
    nextCheckAt: live?.dueAt?.toISOString() ?? null,
    linkExpiresAt: linkExpiresAt.toISOString(),
  };
}

const isThere = ({ state, observed }: DnsRecord): boolean => state === 'ready' || observed.some((one) => one.state === 'match');

/** Of two ways one: the alias that is set once, unless it is not looked at, or the owner has begun with the other. */
function simplest({ names, status, auto }: Domain, records: DnsRecord[], { isInPlace, isByAlias }: { isInPlace: (record: DnsRecord) => boolean; isByAlias: boolean }): DnsRecord[] {
  const aliases = records.filter(isAlias);
  const inPlace = aliases.filter(isInPlace);
  const proved = ownedBases(names).filter((base) => inPlace.some(({ fqdn }) => fqdn === challengeName(base)));
  const others = records.filter((record) => !isAlias(record) && !proved.some((base) => record.fqdn === ownershipName(base)));
  // By itself a domain goes on by its aliases alone: of one with `auto` the token is no beginning.
  const hasBegun = others.some((record) => isThere(record) && !(auto && record.purpose === 'ownership'));
  const isLookedAt = status === 'pending' || isByAlias;
  const isDone = inPlace.length === aliases.length;
  if (aliases.length > 0 && (isDone || (isLookedAt && !hasBegun))) return aliases;
  return [...inPlace, ...others];
}

/** Of an active domain that is renewed by hand, the record for the next certificate is asked for. */
function stateOf(
  { status }: Domain,
  { live, records, isInPlace, isByAlias, isExpired }: { live: Order | null; records: DnsRecord[]; isInPlace: (record: DnsRecord) => boolean; isByAlias: boolean; isExpired: boolean },
): SetupState {
  const isAwaited = live?.status === 'awaiting_dns';
  const missing = records.filter(isMissing).every(isInPlace) ? 'partly' : 'missing';
  if (status === 'failed') return 'failed';
  if (status === 'active' && !isAwaited) {
    const isBeingUsed = live !== null && live.status !== 'new' && records.length > 0 && !records.every(isAlias);
    if (isBeingUsed) return 'checking';
    if (isByAlias && records.some(isMissing)) return missing;
    return isExpired ? 'preparing' : 'done';
  }
  if (status !== 'pending' && (live === null || live.status === 'new')) return records.some(isMissing) ? missing : 'preparing';
  if (live !== null && !isAwaited) return 'checking';
  // Our own trouble is waited out; it says nothing of a record that nobody has seen.
  if (records.every((record) => record.state === 'ready' || (record.actor === 'operator' && isInPlace(record)))) return 'checking';
  return records.every((record) => isThere(record) || isInPlace(record)) ? 'partly' : 'missing';
}

const toRecord = ({ observed, ...record }: DnsRecord, checkedAt: Date | null): SetupRecord => ({
  ...record,
  // What we have to do ourselves is no advice to the owner.
  action: record.actor === 'operator' ? null : record.action,
  waiting: record.waiting ?? { helps: false, until: null },
  servers: observed,
  checkedAt: checkedAt?.toISOString() ?? null,
});
