import {
  adviceOn,
  type Authorization,
  type Certificate,
  type CheckedRecord,
  type Diagnosis,
  type DiagnosisCode,
  type Domain,
  type DomainEvent,
  isLive,
  type Order,
  ownershipName,
  relativeHost,
  type TxtEvidence,
} from '@certwright/core';

/** Rows as the API shows them: snake_case, RFC 3339 times in UTC. */

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

export interface DnsRecord {
  purpose: 'ownership' | 'acme-challenge';
  type: 'TXT';
  fqdn: string;
  /** As registrars want it: relative to the zone. */
  host: string;
  value: string;
  ttl: number;
  /** The diagnosis; null before the first look. */
  state: DiagnosisCode | null;
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

export const presentNewDomain = (domain: Domain) => ({
  id: domain.id,
  domain_name: domain.name,
  verification_token: domain.verificationToken,
  status: domain.status,
  instructions:
    `Set a TXT record at ${ownershipName(domain.name)} with the value ${domain.verificationToken}, ` +
    `then POST /domains/${domain.id}/verify.`,
});

export const presentDomain = (domain: Domain) => ({
  id: domain.id,
  domain_name: domain.name,
  status: domain.status,
  verified_at: time(domain.verifiedAt),
  created_at: time(domain.createdAt),
});

/** A domain with what is to be known about it now; `order` is its newest one. */
export function presentDomainInFull(
  domain: Domain,
  { order, certificate, version }: { order: Order | null; certificate: Certificate | null; version: string },
) {
  const live = order && isLive(order.status) ? order : null;
  return {
    ...presentDomain(domain),
    ...(domain.status === 'pending' && { verification_token: domain.verificationToken }),
    status_reason: domain.statusReason ?? live?.reason?.detail ?? null,
    dns_records: presentDnsRecords(domain, live),
    order_id: order?.id ?? null,
    next_check_at: time(live?.dueAt ?? null),
    certificate_id: certificate?.id ?? null,
    updated_at: time(domain.updatedAt),
    version,
  };
}

export function presentDnsRecords(domain: Domain, live: Order | null): DnsRecord[] {
  if (domain.status === 'pending') {
    return [presentRecord(domain, { purpose: 'ownership', fqdn: ownershipName(domain.name), value: domain.verificationToken })];
  }
  return (live?.authorizations ?? []).map(({ txtName, txtValue, evidence, diagnosis }) =>
    presentRecord(domain, { purpose: 'acme-challenge', fqdn: txtName, value: txtValue, evidence, diagnosis }),
  );
}

/** A record that the customer is to set, and what was last seen of it. */
export function presentRecord(
  { name }: Domain,
  { purpose, fqdn, value, evidence, diagnosis }: Pick<DnsRecord, 'purpose' | 'fqdn' | 'value'> & { evidence?: TxtEvidence | null; diagnosis?: Diagnosis | null },
): DnsRecord {
  return {
    purpose,
    type: 'TXT',
    fqdn,
    host: diagnosis?.set?.fqdn === fqdn ? diagnosis.set.host : relativeHost(fqdn, name),
    value,
    ttl: TTL,
    state: diagnosis?.code ?? null,
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
  checked.flatMap(({ expected, cached, ...record }) => expected.map((value) => ({ ...presentRecord(domain, { ...record, value }), cached })));

const presentAuthorization = (one: Authorization) => ({
  identifier: one.identifier,
  wildcard: one.wildcard,
  status: one.status,
  txt_name: one.txtName,
  txt_value: one.txtValue,
  checked_at: time(one.checkedAt),
  evidence: one.evidence,
  diagnosis: one.diagnosis,
});

/** Why an order waits or failed, and who has to do what: for somebody who has never seen one. */
function presentReason({ reason, status, authorizations }: Order) {
  if (!reason) return null;
  const { code, detail, acme, until } = reason;
  const diagnosis = code === 'dns_not_ready' ? authorizations.find((one) => (one.diagnosis?.code ?? 'ready') !== 'ready')?.diagnosis : null;
  const { actor, action } = diagnosis ?? adviceOn(code, !isLive(status));
  return { code, detail, actor, action, ...(until && { until }), ...(acme && { acme }) };
}

export const presentOrder = (order: Order) => ({
  id: order.id,
  domain_id: order.domainId,
  status: order.status,
  status_since: time(order.statusSince),
  generation: order.generation,
  renewal: order.renewal,
  names: order.names,
  key_type: order.keyType,
  profile: order.profile,
  reason: presentReason(order),
  failures: order.failures,
  next_check_at: time(order.dueAt),
  deadline: time(order.deadlineAt),
  certificate_id: order.certificateId,
  created_at: time(order.createdAt),
  updated_at: time(order.updatedAt),
  authorizations: order.authorizations.map(presentAuthorization),
});

/** What has become of an order, oldest first: each status it reached, and each new reason for not getting on. */
export const presentHistory = (events: DomainEvent[]) =>
  events.flatMap((event) => (event.kind === 'order' ? [{ at: time(event.at), ...presentOrderEvent(event) }] : []));

const presentOrderEvent = ({ status, generation, reason }: Extract<DomainEvent, { kind: 'order' }>) => ({
  status,
  generation,
  ...(reason && { code: reason.code, detail: reason.detail, ...(reason.acme && { acme: reason.acme }) }),
});

/** One entry of a domain's timeline. */
export function presentEvent(event: DomainEvent) {
  const { id, kind } = event;
  const shown = { id, at: time(event.at), kind };
  if (event.kind === 'order') return { ...shown, order_id: event.orderId, ...presentOrderEvent(event) };
  if (event.kind !== 'dns') return shown;
  const { code, message, action, remove, waiting, facts } = event.diagnosis;
  const dns = { fqdn: event.fqdn, code, detail: message, action, remove, waiting, facts, observed: event.evidence.servers };
  return { ...shown, order_id: event.orderId, ...dns };
}

/** The 202 of issue-certificate: what to set, as far as it is known. */
export function presentIssuing(order: Order, challengeDomain: string) {
  // Also while the CA validates: it may still look, so the record has to stay.
  const open = order.authorizations.find(({ status }) => status === 'pending');
  const value = order.status === 'awaiting_dns' || order.status === 'validating' ? (open?.txtValue ?? null) : null;
  return {
    order_id: order.id,
    status: 'certificate_pending',
    challenge_domain: challengeDomain,
    expected_txt_value: value,
    instructions: instructionsFor(order, challengeDomain, value),
  };
}

function instructionsFor(order: Order, challengeDomain: string, value: string | null): string {
  if (value !== null) return `Set a TXT record at ${challengeDomain} with the value ${value}. The rest happens by itself.`;
  if (order.status === 'new' && order.reason?.until) {
    return `${order.reason.detail} Its turn is expected at about ${order.reason.until}; GET /orders/${order.id} then has the TXT value.`;
  }
  if (order.status === 'new') {
    return `The order is not placed yet. GET /orders/${order.id} has the TXT value as soon as the CA has told it.`;
  }
  return 'Nothing needs to be set: the rest happens by itself.';
}

export const presentCertificate = (certificate: Certificate) => ({
  id: certificate.id,
  domain_id: certificate.domainId,
  order_id: certificate.orderId,
  issued_at: time(certificate.notBefore),
  expires_at: time(certificate.notAfter),
  created_at: time(certificate.createdAt),
  names: certificate.names,
  serial: certificate.serial,
  sha256: certificate.sha256,
  issuer: certificate.issuer,
  not_before: time(certificate.notBefore),
  not_after: time(certificate.notAfter),
  key_type: certificate.keyType,
});
