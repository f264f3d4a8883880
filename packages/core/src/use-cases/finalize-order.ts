import type { AcmeOrder } from '../acme';
import { assertCertificateFits } from '../certificate';
import { crashPoint } from '../crash-point';
import type { OrderJob } from '../jobs';
import type { IssuedCertificate, Order } from '../model';
import { phaseDeadline } from '../order';
import type { CertificateStore, KeyAndCsr, Lease, RenewalPlan } from '../ports';
import { waitFor } from '../problem';
import { firstAskMs, momentIn, windowOf } from '../renewal';
import { type AccountDeps, accountOf, type Ca } from './account';
import { caPollMs, ended, firstPause } from './ca-trouble';
import { moveOn, type OrderWork, succeed, workOnOrder } from './work-on-order';

export interface FinalizeOrderDeps extends OrderWork, AccountDeps {
  certificates: Pick<CertificateStore, 'latest' | 'privateKey'>;
  /** Whether a renewal keeps its certificate's key (`REUSE_KEYS`). */
  reuseKeys: boolean;
  /** The zone of our own name servers (`ACME_ZONE`). */
  acmeZone: string | null;
}

/**
 * `ready` to `processing` to `valid`: stores the sealed key and its CSR, only then sends finalize (RFC 8555 section 7.4),
 * downloads the chain once the CA has issued, and stores it with the key it belongs to. Resumed in `processing`, it asks
 * the CA first; the stored CSR is the only one ever sent for this order.
 */
export function finalizeOrder(deps: FinalizeOrderDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'finalize-order', async (lease) => {
    const ca = await accountOf(deps, lease);
    if (lease.order.status === 'ready') {
      const stored = await recordIntent(deps, lease);
      await collect(deps, lease, ca, await finalize(ca, lease, stored), stored);
    } else {
      const stored = await deps.orders.keyAndCsr(lease);
      if (!stored) throw new TypeError(`order ${lease.order.id} is processing without a key`);
      const remote = await ca.getOrder(urls(lease).url);
      await collect(deps, lease, ca, remote.status === 'ready' ? await finalize(ca, lease, stored) : remote, stored);
    }
  });
}

async function recordIntent(deps: FinalizeOrderDeps, lease: Lease): Promise<KeyAndCsr> {
  // Placed anew, it keeps its key: what the CA may have issued the time before is for that one.
  const kept = lease.order.generation > 1 ? await deps.orders.keyAndCsr(lease) : null;
  const keyAndCsr = kept ?? (await keyFor(deps, lease.order));
  const now = lease.now();
  await moveOn(deps, lease, 'processing', {
    keyAndCsr,
    dueAt: now,
    deadlineAt: phaseDeadline('processing', now, deps.timeouts),
  });
  crashPoint('after-key-stored', lease.order.id);
  return keyAndCsr;
}

/** The key of the certificate before, where that is wanted, it is of the kind that is wanted, and the CA has not refused it; else a new one. */
async function keyFor(deps: FinalizeOrderDeps, order: Order): Promise<KeyAndCsr> {
  const { keys, certificates, reuseKeys } = deps;
  const { tenantId, domainId, names, keyType } = order;
  const before = reuseKeys && !(await isKeyRefused(deps, order)) ? await certificates.latest(tenantId, domainId) : null;
  const key = before?.keyType === keyType ? await certificates.privateKey(tenantId, before.id) : null;
  return key === null ? keys.keyAndCsr(names, keyType) : keys.csrFor(names, key);
}

/** What a CA says to a key that it takes for compromised or weak (RFC 8555 section 6.7). */
const KEY_REFUSED = ['badCSR', 'badPublicKey'].map((type) => `urn:ietf:params:acme:error:${type}`);

async function isKeyRefused({ orders }: FinalizeOrderDeps, { tenantId, domainId, id }: Order): Promise<boolean> {
  const [before] = (await orders.list(tenantId, domainId, 2)).filter((one) => one.id !== id);
  return KEY_REFUSED.includes(before?.reason?.acme?.type ?? '');
}

async function finalize(ca: Ca, lease: Lease, { csrDer }: KeyAndCsr): Promise<AcmeOrder> {
  const remote = await ca.finalize(urls(lease), csrDer);
  crashPoint('after-finalize-sent', lease.order.id);
  if (remote.status !== 'processing' || remote.retryAfterMs !== null) return remote;
  await firstPause();
  return ca.getOrder(remote.url);
}

async function collect(deps: FinalizeOrderDeps, lease: Lease, ca: Ca, remote: AcmeOrder, stored: KeyAndCsr): Promise<void> {
  const { id, names, generation, statusSince } = lease.order;
  if (remote.status === 'invalid') {
    throw ended('acme_order_invalid', remote.error, { what: 'The CA has ended the order', generation });
  }
  if (remote.status !== 'valid' || !remote.certificateUrl) {
    const elapsedMs = lease.now().getTime() - statusSince.getTime();
    const waitMs = Math.max(caPollMs(elapsedMs), remote.retryAfterMs ?? 0);
    throw waitFor('acme_pending', 'The CA is still issuing the certificate.', waitMs);
  }
  const chainPem = await ca.downloadCertificate(remote.certificateUrl);
  crashPoint('after-chain-downloaded', id);
  const { privateKeyPem } = stored;
  const certificate = assertCertificateFits({ chainPem, privateKeyPem, names });
  await succeed(deps, lease, certificate, privateKeyPem, planOf(deps, lease, certificate));
  crashPoint('after-certificate-stored', id);
}

/** By the certificate's own life, until the CA has been asked; what the CA knows it by is found out then: reading it off takes most of a millisecond. */
function planOf({ acme, acmeZone }: FinalizeOrderDeps, lease: Lease, certificate: IssuedCertificate): RenewalPlan {
  const window = windowOf(certificate);
  const askAt = new Date(lease.now().getTime() + firstAskMs());
  return { directoryUrl: acme.directoryUrl, certId: null, window, renewAt: momentIn(window), askAt, manual: isManual(lease.order, acmeZone) };
}

/** Whether somebody had to set a value for it; null where the CA asked for none. */
function isManual({ authorizations }: Order, acmeZone: string | null): boolean | null {
  const looks = authorizations.flatMap(({ evidence }) => (evidence ? [evidence.via] : []));
  if (looks.length === 0) return null;
  return !looks.every((via) => acmeZone !== null && via.some((name) => name.endsWith(`.${acmeZone}`)));
}

function urls({ order }: Lease): { url: string; finalizeUrl: string } {
  if (!order.acmeUrl || !order.finalizeUrl) throw new TypeError(`order ${order.id} is ${order.status} without a URL`);
  return { url: order.acmeUrl, finalizeUrl: order.finalizeUrl };
}
