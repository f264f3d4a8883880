import type { DomainJob } from '../jobs';
import type { Domain, Forecast } from '../model';
import { momentIn, windowOf } from '../renewal';
import { nextWatchMs, SUSPECT_MS } from '../watch-schedule';
import type { CaaIssuer, CertificateStore, DomainStore, OrderStore, RenewalStore } from '../ports';
import { Problem, waitFor } from '../problem';
import { caaIssuer, type CaaIssuerDeps } from './caa-issuer';
import { requestOrder, type RequestOrderDeps } from './create-order';
import { dnsRefusal, type DnsRefusalDeps } from './dns-refusal';
import { type DelegationDeps, lookAtDelegation, type SeenDelegation } from './look-at-delegation';

export interface WatchDelegationDeps extends DelegationDeps, RequestOrderDeps, CaaIssuerDeps, DnsRefusalDeps {
  domains: Pick<DomainStore, 'claimWatch' | 'noteForecast' | 'markVerified'>;
  renewals: Pick<RenewalStore, 'get' | 'adopt'>;
  certificates: Pick<CertificateStore, 'latest'>;
  orders: Pick<OrderStore, 'create' | 'get'>;
  pollIntervalMs: number;
}

/** A look that is cut short is made again after this, in milliseconds. */
const CLAIM_MS = 60_000;

/** Longer waits end the job: `reconcile` adds another when the domain is due. */
const LONGEST_DELAY_MS = 600_000;

/**
 * Asks of one domain whether a renewal would succeed today, and keeps the answer; a change of it is an event. A domain with `auto` is
 * verified by it, and given its certificate.
 * @throws Problem `dns_not_ready` (wait) until the next look, where that is soon
 */
export async function watchDelegation(deps: WatchDelegationDeps, { tenantId, domainId }: DomainJob): Promise<void> {
  const domain = await deps.domains.claimWatch(tenantId, domainId, CLAIM_MS);
  if (!domain) return;
  await adoptCertificate(deps, domain);
  const seen = await lookAtDelegation(deps, domain);
  const forecast = await forecastOf(deps, domain, seen);
  if (isDoubtful(domain.forecast, forecast)) {
    return deps.domains.noteForecast(tenantId, domainId, { forecast: { ...domain.forecast, at: forecast.at, isSuspect: true }, delayMs: SUSPECT_MS });
  }
  const isMoved = domain.auto && forecast.isReady && !forecast.needsValue && (await moveOn(deps, domain));
  const delayMs = nextWatchMs({ domain, isMoved, now: new Date(), pollIntervalMs: deps.pollIntervalMs });
  await deps.domains.noteForecast(tenantId, domainId, { forecast, delayMs });
  if (delayMs === null || delayMs > LONGEST_DELAY_MS) return;
  const [wrong] = forecast.records.filter(({ diagnosis }) => diagnosis.code !== 'ready');
  throw waitFor('dns_not_ready', wrong?.diagnosis.message ?? forecast.refusal ?? 'Looked at again soon.', delayMs);
}

/**
 * One look that finds wrong what was right may have met an outage that is over in a minute, or our own: nobody is told before the second one,
 * and not of what only we can mend.
 */
function isDoubtful(before: Forecast | null, { isReady, records }: Forecast): before is Forecast {
  if (!before?.isReady || isReady) return false;
  return before.isSuspect !== true || records.some(({ diagnosis }) => diagnosis.actor === 'operator');
}

/** A certificate that a worker of an earlier release has stored, while a new one was being rolled out, is renewed like all others. */
async function adoptCertificate({ renewals, certificates, acme }: WatchDelegationDeps, { tenantId, id, status }: Domain): Promise<void> {
  if (status !== 'active') return;
  const [renewal, newest] = await Promise.all([renewals.get(tenantId, id), certificates.latest(tenantId, id)]);
  if (!newest || renewal?.certificateId === newest.id) return;
  const window = windowOf(newest);
  const certId = acme.certId(newest.chainPem);
  await renewals.adopt(newest, { directoryUrl: acme.directoryUrl, certId, window, renewAt: momentIn(window), askAt: null, manual: null });
}

async function forecastOf(deps: WatchDelegationDeps, domain: Domain, seen: SeenDelegation[]): Promise<Forecast> {
  const { tenantId, id, names, auto, forecast: before } = domain;
  const sinceOf = ({ fqdn, diagnosis }: SeenDelegation): string => {
    const known = before?.records.find((one) => one.fqdn === fqdn)?.diagnosis;
    return known?.code === diagnosis.code ? known.since : diagnosis.since;
  };
  const isInPlace = seen.length > 0 && seen.every(({ diagnosis }) => diagnosis.code === 'ready');
  const isExpected = deps.acmeZone !== null && (auto || (await deps.renewals.get(tenantId, id))?.manual === false);
  const needsValue = !isInPlace && !isExpected;
  let isCaAway = false;
  const issuer = (): Promise<CaaIssuer> =>
    caaIssuer(deps).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      isCaAway = true; // it says nothing about the domain, and must not have all domains looked at again and again
      return { identities: [], accountUri: null };
    });
  const refused = isInPlace || needsValue ? await dnsRefusal(deps, names, issuer) : null;
  const isOverruled = refused?.code === 'caa_forbids_issuer' && (await isCaaIgnored(deps, domain));
  const refusal = isOverruled ? null : (refused?.detail ?? (isCaAway ? (before?.refusal ?? null) : null));
  return {
    at: new Date().toISOString(),
    isReady: (isInPlace || needsValue) && refusal === null,
    needsValue,
    records: seen.map((one) => ({ fqdn: one.fqdn, diagnosis: { ...one.diagnosis, since: sinceOf(one) } })),
    refusal,
  };
}

/** A renewal heeds CAA records as the order has that its certificate is from. */
async function isCaaIgnored({ certificates, orders }: WatchDelegationDeps, { tenantId, id }: Domain): Promise<boolean> {
  const newest = await certificates.latest(tenantId, id);
  return newest !== null && (await orders.get(tenantId, newest.orderId))?.ignoreCaa === true;
}

/** Verifies it, and asks for its certificate, where it has none yet. Whoever is faster has done the same. */
async function moveOn(deps: WatchDelegationDeps, { tenantId, id, status, names }: Domain): Promise<boolean> {
  if (status === 'active' || status === 'certificate_pending') return false;
  if (status === 'pending') await deps.domains.markVerified(tenantId, id, names);
  try {
    await requestOrder(deps, { tenantId, domainId: id, requestId: null });
    return true;
  } catch (error) {
    if (error instanceof Problem && (error.code === 'domain_not_verified' || error.code === 'not_found')) return false;
    throw error;
  }
}
