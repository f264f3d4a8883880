import {
  type Actor,
  challengeName,
  type CheckedRecord,
  delegationRecords,
  delegationTarget,
  type Diagnosis,
  type DiagnosisCode,
  type Domain,
  type Order,
  ownedBases,
  ownershipName,
  relativeHost,
  type TxtEvidence,
} from '@certwright/core';

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

export interface SeenAlias {
  /** The name is an alias of the domain's own label: its values come from our own name servers, and nobody has to set them. */
  isThere: boolean;
  state: DiagnosisCode | null;
  diagnosis: Diagnosis | null;
  evidence: TxtEvidence | null;
}

/** What is found wrong with an alias that is not ours; all else says nothing of whether it is there, or that it is. */
const ABSENT: readonly DiagnosisCode[] = ['delegation_missing', 'cname_wrong_target', 'cname_loop', 'cname_dangling', 'txt_beside_cname'];

/** What was last seen of a name's alias, by the order that looks for its value or by the day's look; null: nobody has seen anything. */
function lastSeen({ forecast }: Domain, order: Order | null, { fqdn, target }: { fqdn: string; target: string }): SeenAlias | null {
  const day = forecast?.records.find((one) => one.fqdn === fqdn)?.diagnosis;
  const daily = day ? { isThere: day.code === 'ready' || day.code === 'delegation_unserved', state: day.code, diagnosis: day, evidence: null } : null;
  const own = order?.authorizations.find(({ txtName, evidence }) => txtName === fqdn && evidence !== null);
  // What a suspect forecast says is older than the look that made it suspect.
  const isDailyNewer = daily !== null && forecast?.isSuspect !== true && (own?.checkedAt ?? 0) <= new Date(forecast?.at ?? 0);
  if (!own?.evidence || isDailyNewer) return daily;
  const { evidence, diagnosis } = own;
  // Not diagnosed yet: a value that is on its way to our own name servers.
  if (evidence.via.includes(target)) return { isThere: true, state: diagnosis?.code ?? 'ready', diagnosis, evidence: diagnosis && evidence };
  const isBlind = evidence.via.length === 0 && (evidence.verdict === 'no_answer' || evidence.verdict === 'no_zone');
  if (isBlind) return daily && { isThere: daily.isThere, state: diagnosis?.code ?? null, diagnosis, evidence };
  return { isThere: false, ...(day && ABSENT.includes(day.code) ? { state: day.code, diagnosis: day } : { state: null, diagnosis: null }), evidence: null };
}

/** What was last seen of the aliases of these names. */
export function seenAliases(domain: Domain, order: Order | null, fqdns: string[], acmeZone: string | null): (SeenAlias | null)[] {
  if (acmeZone === null) return [];
  const target = delegationTarget(domain, acmeZone);
  return fqdns.map((fqdn) => lastSeen(domain, order, { fqdn, target }));
}

/** What the customer may set: the delegation first, where there is one to be had; of what it makes needless nothing once it is there. */
export function presentDnsRecords(domain: Domain, live: Order | null, acmeZone: string | null): DnsRecord[] {
  const aliases = (acmeZone === null ? [] : delegationRecords(domain, acmeZone)).map((one) => ({ ...one, seen: lastSeen(domain, live, one) }));
  const isDelegated = (name: string): boolean => aliases.some(({ fqdn, seen }) => fqdn === name && seen?.isThere === true);
  const ownership = domain.status === 'pending' ? ownedBases(domain.names) : [];
  return [
    ...aliases.map(({ fqdn, target, seen }) => presentRecord(domain, { purpose: 'delegation', type: 'CNAME', fqdn, value: target, ...seen })),
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

/** Whether the domain is to get its certificates through the alias: it was registered so, or it is there. */
const isByAlias = ({ auto, forecast }: Domain): boolean => auto || forecast?.needsValue === false;

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
  return {
    purpose,
    optional: isByAlias(domain) !== (purpose === 'delegation'),
    type,
    fqdn,
    host: diagnosis?.set?.fqdn === fqdn ? diagnosis.set.host : relativeHost(fqdn, domain.name),
    value,
    ttl: TTL,
    state,
    actor: diagnosis?.actor ?? null,
    message: diagnosis?.message ?? evidence?.detail ?? null,
    action: diagnosis?.action ?? null,
    remove: diagnosis?.remove ?? [],
    waiting: diagnosis?.waiting ?? null,
    since: diagnosis?.since ?? null,
    observed: evidence?.servers ?? [],
  };
}

/** What a check has just seen; a record with several values is shown once for each. */
export const presentCheck = (domain: Domain, checked: CheckedRecord[]): (DnsRecord & Pick<CheckedRecord, 'cached'>)[] =>
  checked.flatMap(({ expected, cached, ...record }) => expected.map((value) => ({ ...presentRecord(domain, { ...record, type: record.purpose === 'delegation' ? 'CNAME' : 'TXT', value }), cached })));

/** What a check comes down to, in words: also where there is nothing to be looked at. */
export function presentOutcome(domain: Domain, checked: CheckedRecord[]): { message: string; action: string } {
  const { id, status, statusReason } = domain;
  const isUsed = ({ evidence, expected }: CheckedRecord): boolean => expected.some((target) => evidence.via.includes(target));
  const needed = checked.filter((record) => record.purpose !== 'delegation' || isByAlias(domain) || isUsed(record));
  const wrong = needed.find(({ diagnosis }) => diagnosis.code !== 'ready') ?? needed[0];
  if (wrong) return { message: wrong.diagnosis.message, action: wrong.diagnosis.action };
  const ask = `POST /domains/${id}/issue-certificate`;
  switch (status) {
    case 'active':
      return { message: 'There is a certificate, and nothing has to be set now.', action: 'Nothing.' };
    case 'failed':
      return { message: statusReason ?? 'The last order failed.', action: `Mend what that names, then ${ask}: it brings a new value to be set.` };
    case 'certificate_pending':
      return { message: 'The certificate is being issued, and nothing has to be set now.', action: 'Nothing: the order goes on by itself.' };
    case 'pending':
    case 'verified':
      return { message: 'Nothing has to be set: no certificate has been asked for.', action: `${ask}.` };
  }
}
