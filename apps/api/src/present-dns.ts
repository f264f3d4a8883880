import {
  type Actor,
  challengeName,
  type CheckedRecord,
  delegationRecords,
  type Diagnosis,
  type DiagnosisCode,
  type Domain,
  type Order,
  ownedBases,
  ownershipName,
  relativeHost,
  type TxtEvidence,
} from '@certwright/core';
import { reliesOnAlias, seenAliases } from './seen-alias';

/** The records that a domain's owner is to set, as the API and the setup page show them. */

export interface DnsRecord {
  /** `delegation`, set once, makes all others needless. */
  purpose: 'delegation' | 'ownership' | 'acme-challenge';
  /** There is another way, and that one is gone: of alias and values one is enough. */
  optional: boolean;
  type: 'TXT' | 'CNAME';
  fqdn: string;
  /** As registrars want it: relative to the zone. */
  host: string;
  value: string;
  ttl: number;
  /** The diagnosis; null before the first look. */
  state: DiagnosisCode | null;
  /** Who has to do something about it. */
  actor: Actor | null;
  message: string | null;
  action: string | null;
  /** What to remove first. */
  remove: Diagnosis['remove'];
  waiting: Diagnosis['waiting'] | null;
  since: string | null;
  observed: TxtEvidence['servers'];
}

/** What the customer should give their record as its time to live, in seconds. */
const TTL = 60;

/** What the customer may set: the delegation first, where there is one to be had; of what it makes needless nothing once it is there. */
export function presentDnsRecords(domain: Domain, live: Order | null, acmeZone: string | null): DnsRecord[] {
  const aliases = acmeZone === null ? [] : delegationRecords(domain, acmeZone);
  const seen = seenAliases(domain, live, aliases.map(({ fqdn }) => fqdn), acmeZone);
  const isDelegated = (name: string): boolean => aliases.some(({ fqdn }, index) => fqdn === name && seen[index]?.isThere === true);
  const ownership = domain.status === 'pending' ? ownedBases(domain.names) : [];
  return [
    ...aliases.map(({ fqdn, target }, index) => presentRecord(domain, { purpose: 'delegation', type: 'CNAME', fqdn, value: target, ...seen[index] })),
    ...ownership
      .filter((base) => !isDelegated(challengeName(base)))
      .map((base) => presentRecord(domain, { purpose: 'ownership', fqdn: ownershipName(base), value: domain.verificationToken })),
    ...(live?.authorizations ?? [])
      // What the CA has taken from an earlier order has no value to be set.
      .filter(({ txtName, status, evidence }) => !isDelegated(txtName) && (status === 'pending' || evidence !== null))
      .map(({ txtName, txtValue, evidence, diagnosis }) =>
        presentRecord(domain, { purpose: 'acme-challenge', fqdn: txtName, value: txtValue, evidence, diagnosis }),
      ),
  ];
}

/** A record that the customer is to set, and what was last seen of it. */
export function presentRecord(
  domain: Domain,
  {
    purpose,
    type = 'TXT',
    fqdn,
    value,
    evidence,
    diagnosis,
    state = diagnosis?.code ?? null,
  }: Pick<DnsRecord, 'purpose' | 'fqdn' | 'value'> & Partial<Pick<DnsRecord, 'type' | 'state'>> & { evidence?: TxtEvidence | null; diagnosis?: Diagnosis | null },
): DnsRecord {
  const observed = (evidence?.servers ?? []).map((one) => (one.state === 'mismatch' && one.values.includes(value) ? { ...one, state: 'match' as const } : one));
  // Of several values at a name the diagnosis is of the one that is not there.
  const isOther = diagnosis?.set?.type === type && diagnosis.set.fqdn === fqdn && diagnosis.set.value !== value;
  const isThere = isOther && observed.length > 0 && observed.every((one) => one.state === 'match');
  const shown = isThere ? null : diagnosis;
  return {
    purpose,
    optional: reliesOnAlias(domain, null) !== (purpose === 'delegation'),
    type,
    fqdn,
    host: diagnosis?.set?.fqdn === fqdn ? diagnosis.set.host : relativeHost(fqdn, domain.name),
    value,
    ttl: TTL,
    state: isThere ? 'ready' : state,
    actor: shown?.actor ?? null,
    message: isThere ? 'This value is there.' : (shown?.message ?? evidence?.detail ?? null),
    action: shown?.action ?? null,
    remove: shown?.remove ?? [],
    waiting: shown?.waiting ?? null,
    since: shown?.since ?? null,
    observed,
  };
}

/** What a check has just seen; a record with several values is shown once for each. */
export const presentCheck = (domain: Domain, checked: CheckedRecord[]): (DnsRecord & Pick<CheckedRecord, 'cached'>)[] =>
  checked.flatMap(({ expected, cached, ...record }) => expected.map((value) => ({ ...presentRecord(domain, { ...record, type: record.purpose === 'delegation' ? 'CNAME' : 'TXT', value }), cached })));

/** What a check comes down to, in words: also where there is nothing to be looked at. */
export function presentOutcome(domain: Domain, checked: CheckedRecord[]): { message: string; action: string } {
  const { id, status, statusReason, auto } = domain;
  const isUsed = ({ evidence, expected }: CheckedRecord): boolean => reliesOnAlias(domain, null) || expected.some((target) => evidence.via.includes(target));
  // An alias that is as it should be leaves open what comes next.
  const needed = checked.filter((record) => record.purpose !== 'delegation' || (record.diagnosis.code !== 'ready' && isUsed(record)));
  const wrong = needed.find(({ diagnosis }) => diagnosis.code !== 'ready')?.diagnosis;
  const way = wrong?.code === 'record_missing' && status === 'pending' ? checked.find(({ diagnosis }) => diagnosis.code === 'delegation_missing')?.diagnosis : undefined;
  // Nothing is there yet, and there are two ways.
  if (wrong && way) return { message: `${way.message} ${wrong.message}`, action: `One of the two is enough. ${way.action} Or, for this time: ${wrong.action}` };
  if (wrong) return { message: wrong.message, action: wrong.action };
  const ask = `POST /domains/${id}/issue-certificate`;
  switch (status) {
    case 'active':
      return { message: 'There is a certificate, and nothing has to be set now.', action: 'Nothing.' };
    case 'failed':
      return { message: statusReason ?? 'The last order failed.', action: `Mend what that names, then ${ask}${checked.length > 0 ? '' : ': it brings a new value to be set'}.` };
    case 'certificate_pending':
      return { message: 'The certificate is being issued, and nothing has to be set now.', action: 'Nothing: the order goes on by itself.' };
    case 'pending':
      return { message: 'What was to be set is there.', action: auto ? 'Nothing: the rest happens by itself.' : `POST /domains/${id}/verify.` };
    case 'verified':
      return { message: 'Nothing has to be set: no certificate has been asked for.', action: `${ask}.` };
  }
}
