import { crashPoint } from '../crash-point';
import type { KeyType } from '../key-type';
import type { Order } from '../model';
import type { JobQueue, OrderStore } from '../ports';
import { terminal } from '../problem';
import type { OrderWatch } from './order-watch';

export interface CreateOrderDeps {
  orders: Pick<OrderStore, 'create' | 'get'>;
  watch: OrderWatch;
  jobs: JobQueue;
  /** How long to wait for a worker to place the order, in milliseconds (`ISSUE_WAIT`). */
  issueWaitMs: number;
  /** How long the order may take to be placed at all, in milliseconds (`ORDER_TIMEOUT`). */
  phaseTimeoutMs: number;
  keyType: KeyType;
  profile: string | null;
}

/**
 * Asks for a certificate: one live order per domain, whoever asks however often. The row is committed first, the job is
 * added after it, best effort; then a bounded wait for a worker to place the order, so that the caller normally gets the
 * TXT value at once. Returns the order as it is by then.
 * @throws Problem `not_found`, `domain_not_verified`
 */
export async function createOrder(
  deps: CreateOrderDeps,
  input: { tenantId: string; domainId: string; ignoreCaa?: boolean; requestId: string },
): Promise<Order> {
  const { tenantId, domainId, ignoreCaa = false, requestId } = input;
  const { order } = await deps.orders.create(tenantId, {
    domainId,
    keyType: deps.keyType,
    profile: deps.profile,
    phaseMs: deps.phaseTimeoutMs,
    ignoreCaa,
    requestId,
  });
  crashPoint('after-order-created', order.id);
  if (order.status !== 'new') return order;
  const isQueued = await deps.jobs.enqueue('place-order', { tenantId, orderId: order.id, requestId });
  // Without the queue store nobody will place it soon: `reconcile` sees to it once the store is back.
  return isQueued && deps.issueWaitMs > 0 ? placed(deps, order) : order;
}

async function placed({ watch, orders, issueWaitMs }: CreateOrderDeps, { tenantId, id }: Order): Promise<Order> {
  await watch.untilPlaced(id, issueWaitMs);
  const order = await orders.get(tenantId, id);
  if (!order) throw terminal('not_found', 'The domain was deleted while its order was being placed.');
  return order;
}
