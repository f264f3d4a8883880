import type { OrderJob } from '../jobs';
import { type OrderTimeouts, phaseDeadline } from '../order';
import type { AcmeAccount, AcmeAuthorization } from '../acme';
import type { Authorization } from '../model';
import type { AccountStore, AcmeGateway, Lease, TxtLookup } from '../ports';
import { terminal, waitFor } from '../problem';
import type { TxtEvidence } from '../txt-evidence';
import { accountOf } from './ensure-account';
import { type OrderWork, workOnOrder } from './work-on-order';

/** How soon to ask the CA again when it doesn't say (`Retry-After`), in milliseconds. */
export const CA_POLL_MS = 1_000;

export interface AwaitDnsDeps extends OrderWork {
  accounts: AccountStore;
  acme: Pick<AcmeGateway, 'getAuthorization' | 'respondToChallenge'>;
  txtLookup: TxtLookup;
  /** How soon to look at DNS again, in milliseconds (`POLL_INTERVAL`). */
  pollIntervalMs: number;
  timeouts: OrderTimeouts;
}

/**
 * `awaiting_dns` to `validating` once every authoritative server shows every value, then to `ready` once the CA has
 * validated them. What each server said is kept on the order at every look.
 */
export function awaitDns(deps: AwaitDnsDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'await-dns', async (lease) => {
    if (lease.order.status === 'awaiting_dns') {
      await lookAtDns(deps, lease);
      await respond(deps, lease, await accountOf(deps, lease.order));
      throw waitFor('acme_pending', 'The CA has been told to validate.', CA_POLL_MS);
    }
    await readVerdicts(deps, lease, await accountOf(deps, lease.order));
  });
}

const pending = (lease: Lease): Authorization[] =>
  lease.order.authorizations.filter((authorization) => authorization.status === 'pending');

/** @throws Problem `dns_not_ready` (wait) until every server that answers has every value. */
async function lookAtDns(deps: AwaitDnsDeps, lease: Lease): Promise<void> {
  const open = pending(lease);
  // `x` and `*.x` share one TXT name with two values: one look for both.
  const names = [...new Set(open.map((authorization) => authorization.txtName))];
  const found = new Map<string, TxtEvidence>();
  await Promise.all(
    names.map(async (name) => {
      const expected = open.filter((one) => one.txtName === name).map((one) => one.txtValue);
      found.set(name, await deps.txtLookup.lookup(name, expected));
    }),
  );
  await deps.orders.recordAuthorizations(
    lease,
    open.flatMap(({ id, txtName }) => {
      const evidence = found.get(txtName);
      return evidence ? [{ id, evidence }] : [];
    }),
  );
  const missing = [...found.values()].filter((evidence) => evidence.verdict !== 'ready');
  if (missing.length > 0) {
    throw waitFor('dns_not_ready', missing.map((evidence) => evidence.detail).join(' '), deps.pollIntervalMs);
  }
}

/** Asks the CA first and posts only what is still `pending` there: a repeated challenge POST is an error at some CAs. */
async function respond(deps: AwaitDnsDeps, lease: Lease, account: AcmeAccount): Promise<void> {
  for (const authorization of pending(lease)) {
    const remote = await deps.acme.getAuthorization(account, authorization.url);
    assertNotFailed(remote);
    if (remote.status === 'pending' && remote.dns01?.status === 'pending') {
      await deps.acme.respondToChallenge(account, authorization.challengeUrl);
    }
  }
  const now = lease.now();
  await deps.orders.advance(lease, 'validating', { dueAt: now, deadlineAt: phaseDeadline('validating', now, deps.timeouts) });
}

async function readVerdicts(deps: AwaitDnsDeps, lease: Lease, account: AcmeAccount): Promise<void> {
  let retryAfterMs = CA_POLL_MS;
  for (const authorization of pending(lease)) {
    const remote = await deps.acme.getAuthorization(account, authorization.url);
    assertNotFailed(remote);
    if (remote.status === 'valid') {
      await deps.orders.recordAuthorizations(lease, [{ id: authorization.id, status: 'valid' }]);
    } else {
      retryAfterMs = Math.max(retryAfterMs, remote.retryAfterMs ?? 0);
    }
  }
  const open = pending(lease);
  if (open.length > 0) {
    const which = open.map((authorization) => authorization.identifier).join(', ');
    throw waitFor('acme_pending', `The CA is still validating ${which}.`, retryAfterMs);
  }
  const now = lease.now();
  await deps.orders.advance(lease, 'ready', { dueAt: now, deadlineAt: phaseDeadline('ready', now, deps.timeouts) });
}

/** @throws Problem `acme_challenge_failed` (terminal) with the CA's own words. */
function assertNotFailed({ identifier, status, dns01 }: AcmeAuthorization): void {
  if (status === 'pending' || status === 'valid') return;
  const error = dns01?.error;
  throw terminal('acme_challenge_failed', error?.detail ?? `The CA's authorization for ${identifier} is ${status}.`, {
    ...(error && { acme: error }),
  });
}
