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

interface SeenAlias {
  /** The name is an alias of the domain's own label: its values come from our own name servers, and nobody has to set them. */
  isThere: boolean;
  state: DiagnosisCode | null;
  diagnosis: Diagnosis | null;
  evidence: TxtEvidence | null;
}

/** What was last seen of a name's alias, by the order that looks for its value or by the day's look; null: nobody has looked. */
function lastSeen(domain: Domain, order: Order | null, { fqdn, target }: { fqdn: string; target: string }): SeenAlias | null {
  const { forecast } = domain;
  const daily = forecast?.records.find((one) => one.fqdn === fqdn)?.diagnosis ?? null;
  const own = order?.authorizations.find(({ txtName, evidence }) => txtName === fqdn && evidence !== null);
  if (!own?.evidence || (daily && forecast && (own.checkedAt ?? 0) <= new Date(forecast.at))) {
    return daily && { isThere: daily.code === 'ready', state: daily.code, diagnosis: daily, evidence: null };
  }
  const { evidence, diagnosis } = own;
  if (!evidence.via.includes(target)) {
    const before = daily?.code === 'ready' ? null : daily;
    return { isThere: false, state: before?.code ?? null, diagnosis: before, evidence: null };
  }
  // Not diagnosed yet: a value that is on its way to our own name servers.
  return { isThere: true, state: diagnosis?.code ?? 'ready', diagnosis, evidence: diagnosis && evidence };
}

/** Whether the values of all these names come from our own name servers; null: nobody has looked at one of them. */
export function areDelegated(domain: Domain, order: Order, fqdns: string[], acmeZone: string | null): boolean | null {
  if (acmeZone === null || fqdns.length === 0) return false;
  const target = delegationTarget(domain, acmeZone);
  const seen = fqdns.map((fqdn) => lastSeen(domain, order, { fqdn, target }));
  return seen.some((one) => one?.isThere === false) ? false : seen.includes(null) ? null : true;
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
  const needed = checked.filter(({ purpose }) => isByAlias(domain) || purpose !== 'delegation');
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
