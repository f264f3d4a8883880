import {
  adviceOn,
  type Authorization,
  type Certificate,
  delegationRecords,
  type Domain,
  type DomainEvent,
  type Forecast,
  isLive,
  type Order,
  type Renewal,
  type RenewalNews,
  ownedBases,
  ownershipName,
} from '@certwright/core';
import { presentDnsRecords } from './present-dns';

/** Rows as the API shows them: snake_case, RFC 3339 times in UTC. */

const time = (date: Date | null): string | null => date?.toISOString() ?? null;

export const presentNewDomain = (domain: Domain, acmeZone: string | null) => ({
  id: domain.id,
  domain_name: domain.name,
  names: domain.names,
  auto: domain.auto,
  verification_token: domain.verificationToken,
  status: domain.status,
  dns_records: presentDnsRecords(domain, null, acmeZone),
  instructions: instructionsForNew(domain, acmeZone),
});

function instructionsForNew(domain: Domain, acmeZone: string | null): string {
  const verify = `then POST /domains/${domain.id}/verify.`;
  const tokens = ownedBases(domain.names).map((base) => `a TXT record at ${ownershipName(base)} with the value ${domain.verificationToken}`);
  const byToken = `Set ${tokens.join(' and ')}, ${verify}`;
  if (acmeZone === null) return byToken;
  const aliases = delegationRecords(domain, acmeZone).map(({ fqdn, target }) => `a CNAME record at ${fqdn} with the value ${target}`);
  const once = `Set ${aliases.join(' and ')}, once and for all certificates to come`;
  return domain.auto ? `${once}. The rest happens by itself.` : `${once}, ${verify} Or, for this time: ${byToken}`;
}

export const presentDomain = (domain: Domain) => ({
  id: domain.id,
  domain_name: domain.name,
  names: domain.names,
  auto: domain.auto,
  status: domain.status,
  verified_at: time(domain.verifiedAt),
  created_at: time(domain.createdAt),
});

/** What is to be known about a domain now; `order` is its newest one. */
export interface DomainState {
  order: Order | null;
  certificate: Certificate | null;
  renewal: Renewal | null;
  version: string;
  acmeZone: string | null;
}

export function presentDomainInFull(
  domain: Domain,
  { order, certificate, renewal, version, acmeZone }: DomainState,
) {
  const live = order && isLive(order.status) ? order : null;
  return {
    ...presentDomain(domain),
    ...(domain.status === 'pending' && { verification_token: domain.verificationToken }),
    status_reason: domain.statusReason ?? (!live || live.neededBy || isOnItsWay(live) ? null : (live.reason?.detail ?? null)),
    dns_records: presentDnsRecords(domain, live, acmeZone),
    order_id: order?.id ?? null,
    next_check_at: time(live?.dueAt ?? null),
    certificate_id: certificate?.id ?? null,
    renewal: presentRenewal(domain, renewal, live),
    updated_at: time(domain.updatedAt),
    version,
  };
}

/** A value of our own name servers' that nothing has been found wrong with: it is there within a second. */
const isOnItsWay = ({ status, reason, authorizations }: Order): boolean =>
  status === 'awaiting_dns' && reason?.code === 'dns_not_ready' && authorizations.every(({ diagnosis }) => (diagnosis?.code ?? 'ready') === 'ready');

/** When the certificate is renewed, and whether that would succeed today. Trouble is here, and not in the domain's status. */
function presentRenewal({ forecast }: Domain, renewal: Renewal | null, live: Order | null) {
  const trouble = (live?.neededBy && !isOnItsWay(live) && live.reason) || renewal?.lastError;
  return {
    window_start: time(renewal?.window.start ?? null),
    window_end: time(renewal?.window.end ?? null),
    scheduled_at: time(renewal?.renewAt ?? null),
    expires_at: time(renewal?.notAfter ?? null),
    manual: renewal?.manual ?? null,
    failures: renewal?.failures ?? 0,
    last_error: trouble ? { code: trouble.code, detail: trouble.detail } : null,
    explanation_url: renewal?.explanationUrl ?? null,
    forecast: forecast && presentForecast(forecast),
  };
}

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

const ON_ITS_WAY = { actor: 'nobody', action: 'Nothing: our own name servers have it in a moment.' } as const;
const TRIED_AGAIN = { actor: 'nobody', action: 'Nothing: the renewal is tried again by itself; its domain says when.' } as const;

/** Why an order waits or failed, and who has to do what: for somebody who has never seen one. */
function presentReason(order: Order) {
  const { reason, status, authorizations, neededBy } = order;
  if (!reason) return null;
  const { code, detail, acme, until } = reason;
  if (isOnItsWay(order)) return { code, detail, ...ON_ITS_WAY };
  const diagnosis = code === 'dns_not_ready' ? authorizations.find((one) => (one.diagnosis?.code ?? 'ready') !== 'ready')?.diagnosis : null;
  const advice = diagnosis ?? adviceOn(reason, !isLive(status));
  const { actor, action } = neededBy && !isLive(status) && advice.actor === 'platform' ? TRIED_AGAIN : advice;
  return { code, detail, actor, action, ...(until && { until }), ...(acme && { acme }) };
}

export const presentOrder = (order: Order) => ({
  id: order.id,
  domain_id: order.domainId,
  status: order.status,
  status_since: time(order.statusSince),
  generation: order.generation,
  renewal: order.renewal,
  needed_by: time(order.neededBy),
  replaces: order.replaces,
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

/** Whether a renewal would succeed today, as of the last look; `needs_value`: once its owner has set a new TXT value. */
const presentForecast = ({ at, isReady, needsValue = false, records, refusal }: Forecast) => ({
  at,
  is_ready: isReady,
  needs_value: needsValue,
  records: records.map(({ fqdn, diagnosis: { code, message, action, since } }) => ({ fqdn, code, message, action, since })),
  refusal,
});

function presentRenewalNews(news: RenewalNews) {
  const { step } = news;
  if (news.step === 'moved') return { step, window_start: news.start, window_end: news.end, explanation_url: news.explanationUrl };
  if (news.step === 'blocked') return { step, code: news.reason.code, detail: news.reason.detail };
  if (news.step === 'expired') return { step, expired_at: news.notAfter };
  const { until, records } = news;
  const sentences = records.map(({ fqdn, values }) => `a TXT record at ${fqdn} with the value ${values.join(' and with the value ')}`);
  return { step, until, records, action: `Set ${sentences.join(' and ')} before ${until}, when the certificate expires.` };
}

/** One entry of a domain's timeline. */
export function presentEvent(event: DomainEvent) {
  const { id, kind } = event;
  const shown = { id, at: time(event.at), kind };
  if (event.kind === 'order') return { ...shown, order_id: event.orderId, ...presentOrderEvent(event) };
  if (event.kind === 'changed') return { ...shown, names: event.names };
  if (event.kind === 'renewal') return { ...shown, ...presentRenewalNews(event) };
  if (event.kind === 'forecast') return { ...shown, forecast: presentForecast(event.forecast) };
  if (event.kind !== 'dns') return shown;
  const { code, message, action, remove, waiting, facts } = event.diagnosis;
  const dns = { fqdn: event.fqdn, code, detail: message, action, remove, waiting, facts, observed: event.evidence.servers };
  return { ...shown, order_id: event.orderId, ...dns };
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
