import { assertCertificateFits } from '../certificate';
import type { OrderJob } from '../jobs';
import { type OrderTimeouts, phaseDeadline } from '../order';
import type { AcmeAccount, AcmeOrder } from '../acme';
import type { AccountStore, AcmeGateway, KeyMaker, Lease } from '../ports';
import { terminal, waitFor } from '../problem';
import { CA_POLL_MS } from './await-dns';
import { accountOf } from './ensure-account';
import { type OrderWork, workOnOrder } from './work-on-order';

export interface FinalizeOrderDeps extends OrderWork {
  accounts: AccountStore;
  acme: Pick<AcmeGateway, 'getOrder' | 'finalize' | 'downloadCertificate'>;
  keys: Pick<KeyMaker, 'keyAndCsr'>;
  timeouts: OrderTimeouts;
}

/**
 * `ready` to `processing` to `valid`: stores the sealed key and its CSR, only then sends finalize (RFC 8555 section 7.4),
 * downloads the chain once the CA has issued, and stores it with the key it belongs to. Resumed in `processing`, it asks
 * the CA first; the stored CSR is the only one ever sent for this order.
 */
export function finalizeOrder(deps: FinalizeOrderDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'finalize-order', async (lease) => {
    const account = await accountOf(deps, lease.order);
    const remote =
      lease.order.status === 'ready' ? await recordIntent(deps, lease, account) : await resume(deps, lease, account);
    await collect(deps, lease, account, remote);
  });
}

async function recordIntent(deps: FinalizeOrderDeps, lease: Lease, account: AcmeAccount): Promise<AcmeOrder> {
  const keyAndCsr = await deps.keys.keyAndCsr(lease.order.names, lease.order.keyType);
  const now = lease.now();
  await deps.orders.advance(lease, 'processing', {
    keyAndCsr,
    dueAt: now,
    deadlineAt: phaseDeadline('processing', now, deps.timeouts),
  });
  return deps.acme.finalize(account, urls(lease), keyAndCsr.csrDer);
}

async function resume(deps: FinalizeOrderDeps, lease: Lease, account: AcmeAccount): Promise<AcmeOrder> {
  const remote = await deps.acme.getOrder(account, urls(lease).url);
  if (remote.status !== 'ready') return remote;
  const stored = await keyAndCsrOf(deps, lease);
  return deps.acme.finalize(account, urls(lease), stored.csrDer);
}

async function collect(deps: FinalizeOrderDeps, lease: Lease, account: AcmeAccount, remote: AcmeOrder): Promise<void> {
  if (remote.status === 'invalid') {
    throw terminal('acme_order_invalid', remote.error?.detail ?? 'The CA made the order invalid without a reason.', {
      ...(remote.error && { acme: remote.error }),
    });
  }
  if (remote.status !== 'valid' || !remote.certificateUrl) {
    throw waitFor('acme_pending', 'The CA is still issuing the certificate.', Math.max(CA_POLL_MS, remote.retryAfterMs ?? 0));
  }
  const chainPem = await deps.acme.downloadCertificate(account, remote.certificateUrl);
  const { privateKeyPem } = await keyAndCsrOf(deps, lease);
  await deps.orders.complete(lease, assertCertificateFits({ chainPem, privateKeyPem, names: lease.order.names }));
}

async function keyAndCsrOf(deps: FinalizeOrderDeps, lease: Lease): Promise<{ privateKeyPem: string; csrDer: Buffer }> {
  const stored = await deps.orders.keyAndCsr(lease);
  if (!stored) throw new TypeError(`order ${lease.order.id} is processing without a key`);
  return stored;
}

function urls({ order }: Lease): { url: string; finalizeUrl: string } {
  if (!order.acmeUrl || !order.finalizeUrl) throw new TypeError(`order ${order.id} is ${order.status} without a URL`);
  return { url: order.acmeUrl, finalizeUrl: order.finalizeUrl };
}
