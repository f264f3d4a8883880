import { isLive, jobFor } from '../order';
import type { DomainStore, JobQueue, OrderStore } from '../ports';
import type { Telemetry } from '../telemetry';

/** How long an order may be overdue before its job is taken for lost, in milliseconds. */
export const RECONCILE_GRACE_MS = 5_000;

/** As many as one pass may enqueue; the next pass takes the rest. */
const RECONCILE_LIMIT = 5_000;

export interface ReconcileDeps {
  orders: Pick<OrderStore, 'overdue'>;
  domains: Pick<DomainStore, 'toWatch'>;
  jobs: JobQueue;
  telemetry: Pick<Telemetry, 'reconciled'>;
}

/** The day's looks at domains: as many at a time as don't get in the way of orders. */
const WATCH_LIMIT = 200;

/**
 * Enqueues a job for every order that is overdue beyond the grace period: its job was never added, the queue store has
 * lost it, or a worker whose clock is fast has delayed it too far. Harmless where the job still exists (it is
 * deduplicated). Returns how many it enqueued.
 */
export async function reconcile(deps: ReconcileDeps): Promise<number> {
  let enqueued = 0;
  for (const order of await deps.orders.overdue(RECONCILE_GRACE_MS, RECONCILE_LIMIT)) {
    if (!isLive(order.status)) continue;
    const payload = {
      tenantId: order.tenantId,
      orderId: order.id,
      ...(order.requestId && { requestId: order.requestId }),
    };
    if (!(await deps.jobs.enqueue(jobFor(order.status), payload, { hurry: true }))) break;
    enqueued += 1;
  }
  deps.telemetry.reconciled(enqueued);
  for (const { tenantId, id } of await deps.domains.toWatch(0, WATCH_LIMIT)) {
    if (!(await deps.jobs.enqueue('watch-delegation', { tenantId, domainId: id }))) break;
  }
  return enqueued;
}
