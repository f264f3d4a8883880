import { setTimeout as sleep } from 'node:timers/promises';
import { crashPoint } from '../crash-point';
import type { KeyType } from '../key-type';
import type { Order } from '../model';
import type { JobQueue, OrderStore } from '../ports';
import { type ProblemCode, terminal } from '../problem';

export interface CreateOrderDeps {
  orders: Pick<OrderStore, 'create' | 'get'>;
  jobs: JobQueue;
  /** How long to wait for a worker to place the order, in milliseconds (`ISSUE_WAIT`). */
  issueWaitMs: number;
  /** How long the order may take to be placed at all, in milliseconds (`ORDER_TIMEOUT`). */
  phaseTimeoutMs: number;
  keyType: KeyType;
  profile: string | null;
}

const FIRST_LOOK_MS = 50;
const LONGEST_SLEEP_MS = 250;

/** Nothing that ends within our wait. */
const LONG_WAITS: readonly ProblemCode[] = ['acme_rate_limited', 'acme_budget_spent', 'acme_account_refused'];

/**
 * Asks for a certificate: one live order per domain, whoever asks however often. The row is committed first, the job is
 * added after it, best effort; then a bounded wait for a worker to place the order, so that the caller normally gets the
 * TXT value at once. Returns the order as it is by then.
 * @throws Problem `not_found`, `domain_not_verified`
 */
export async function createOrder(
  deps: CreateOrderDeps,
  input: { tenantId: string; domainId: string; requestId: string },
): Promise<Order> {
  const { tenantId, domainId, requestId } = input;
  const { order } = await deps.orders.create(tenantId, {
    domainId,
    keyType: deps.keyType,
    profile: deps.profile,
    phaseMs: deps.phaseTimeoutMs,
    requestId,
  });
  crashPoint('after-order-created', order.id);
  if (order.status !== 'new') return order;
  const isQueued = await deps.jobs.enqueue('place-order', { tenantId, orderId: order.id, requestId });
  // Without the queue store nobody will place it soon: `reconcile` sees to it once the store is back.
  return isQueued ? untilPlaced(deps, order) : order;
}

async function untilPlaced(deps: CreateOrderDeps, created: Order): Promise<Order> {
  const giveUpAt = performance.now() + deps.issueWaitMs;
  let order: Order = created;
  for (let pause = FIRST_LOOK_MS; order.status === 'new'; pause = Math.min(pause * 1.5, LONGEST_SLEEP_MS)) {
    const left = giveUpAt - performance.now();
    if (left <= 0) break;
    await sleep(Math.min(pause, left));
    const latest = await deps.orders.get(created.tenantId, created.id);
    if (!latest) throw terminal('not_found', 'The domain was deleted while its order was being placed.');
    order = latest;
    if (order.reason && LONG_WAITS.includes(order.reason.code)) break;
  }
  return order;
}
