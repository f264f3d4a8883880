import {
  adviceOn,
  type Authorization,
  type Certificate,
  type Domain,
  isLive,
  type Order,
  type OrderEvent,
  type OrderReason,
  ownershipName,
  relativeHost,
  type TxtEvidence,
} from '@certwright/core';

/** Rows as the API shows them: snake_case, RFC 3339 times in UTC. */

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

interface DnsRecord {
  purpose: 'ownership' | 'acme-challenge';
  type: 'TXT';
  fqdn: string;
  /** As registrars want it: relative to the domain that was registered. */
  host: string;
  value: string;
  ttl: number;
  state: string | null;
  observed: TxtEvidence['servers'];
  message: string | null;
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
export function presentDomainInFull(domain: Domain, order: Order | null, certificate: Certificate | null) {
  const live = order && isLive(order.status) ? order : null;
  return {
    ...presentDomain(domain),
    ...(domain.status === 'pending' && { verification_token: domain.verificationToken }),
    status_reason: domain.statusReason ?? live?.reason?.detail ?? null,
    dns_records: dnsRecords(domain, live),
    order_id: order?.id ?? null,
    next_check_at: time(live?.dueAt ?? null),
    certificate_id: certificate?.id ?? null,
    updated_at: time(domain.updatedAt),
  };
}

function dnsRecords(domain: Domain, live: Order | null): DnsRecord[] {
  const record = (fqdn: string) => ({ type: 'TXT' as const, fqdn, host: relativeHost(fqdn, domain.name), ttl: TTL });
  if (domain.status === 'pending') {
    const value = domain.verificationToken;
    return [
      { purpose: 'ownership', ...record(ownershipName(domain.name)), value, state: null, observed: [], message: null },
    ];
  }
  return (live?.authorizations ?? []).map(({ txtName, txtValue, evidence }) => ({
    purpose: 'acme-challenge',
    ...record(txtName),
    value: txtValue,
    state: evidence?.verdict ?? null,
    observed: evidence?.servers ?? [],
    message: evidence?.detail ?? null,
  }));
}

const presentAuthorization = (one: Authorization) => ({
  identifier: one.identifier,
  wildcard: one.wildcard,
  status: one.status,
  txt_name: one.txtName,
  txt_value: one.txtValue,
  checked_at: time(one.checkedAt),
  evidence: one.evidence,
});

/** Why an order waits or failed, and who has to do what: for somebody who has never seen one. */
function presentReason(reason: OrderReason | null, isOver: boolean) {
  if (!reason) return null;
  const { code, detail, acme, until } = reason;
  const { actor, action } = adviceOn(code, isOver);
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
  reason: presentReason(order.reason, !isLive(order.status)),
  failures: order.failures,
  next_check_at: time(order.dueAt),
  deadline: time(order.deadlineAt),
  certificate_id: order.certificateId,
  created_at: time(order.createdAt),
  updated_at: time(order.updatedAt),
  authorizations: order.authorizations.map(presentAuthorization),
});

/** What has become of an order, oldest first: each status it reached, and each new reason for not getting on. */
export const presentHistory = (events: OrderEvent[]) =>
  events.map(({ at, status, generation, reason }) => ({
    at: time(at),
    status,
    generation,
    ...(reason && { code: reason.code, detail: reason.detail, ...(reason.acme && { acme: reason.acme }) }),
  }));

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
