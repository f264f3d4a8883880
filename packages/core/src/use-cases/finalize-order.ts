import type { AcmeOrder } from '../acme';
import { assertCertificateFits } from '../certificate';
import { crashPoint } from '../crash-point';
import type { OrderJob } from '../jobs';
import { phaseDeadline } from '../order';
import type { KeyAndCsr, Lease } from '../ports';
import { waitFor } from '../problem';
import { type AccountDeps, accountOf, type Ca } from './account';
import { caPollMs, ended, firstPause } from './ca-trouble';
import { moveOn, type OrderWork, succeed, workOnOrder } from './work-on-order';

export interface FinalizeOrderDeps extends OrderWork, AccountDeps {}

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
  const keyAndCsr = kept ?? (await deps.keys.keyAndCsr(lease.order.names, lease.order.keyType));
  const now = lease.now();
  await moveOn(deps, lease, 'processing', {
    keyAndCsr,
    dueAt: now,
    deadlineAt: phaseDeadline('processing', now, deps.timeouts),
  });
  crashPoint('after-key-stored', lease.order.id);
  return keyAndCsr;
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
    const fallback = 'The CA made the order invalid without a reason.';
    throw ended('acme_order_invalid', remote.error, { fallback, generation });
  }
  if (remote.status !== 'valid' || !remote.certificateUrl) {
    const elapsedMs = lease.now().getTime() - statusSince.getTime();
    const waitMs = Math.max(caPollMs(elapsedMs), remote.retryAfterMs ?? 0);
    throw waitFor('acme_pending', 'The CA is still issuing the certificate.', waitMs);
  }
  const chainPem = await ca.downloadCertificate(remote.certificateUrl);
  crashPoint('after-chain-downloaded', id);
  const { privateKeyPem } = stored;
  await succeed(deps, lease, assertCertificateFits({ chainPem, privateKeyPem, names }), privateKeyPem);
  crashPoint('after-certificate-stored', id);
}

function urls({ order }: Lease): { url: string; finalizeUrl: string } {
  if (!order.acmeUrl || !order.finalizeUrl) throw new TypeError(`order ${order.id} is ${order.status} without a URL`);
  return { url: order.acmeUrl, finalizeUrl: order.finalizeUrl };
}
