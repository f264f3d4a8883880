import { crashPoint } from '../crash-point';
import type { KeyType } from '../key-type';
import type { Order } from '../model';
import type { JobQueue, NewOrder, OrderStore } from '../ports';
import { terminal } from '../problem';
import type { OrderWatch } from './order-watch';

export interface RequestOrderDeps {
  orders: Pick<OrderStore, 'create'>;
  jobs: JobQueue;
  /** How long the order may take to be placed at all, in milliseconds (`ORDER_TIMEOUT`). */
  phaseTimeoutMs: number;
  keyType: KeyType;
  profile: string | null;
}

export interface CreateOrderDeps extends RequestOrderDeps {
  orders: Pick<OrderStore, 'create' | 'get'>;
  watch: OrderWatch;
  /** How long to wait for a worker to place the order, in milliseconds (`ISSUE_WAIT`). */
  issueWaitMs: number;
}

export interface OrderRequest {
  tenantId: string;
  domainId: string;
  /** Default false. */
  ignoreCaa?: boolean;
  /** Of a renewal. */
  renewal?: NonNullable<NewOrder['renewal']>;
  /** Null: nobody asked. */
  requestId: string | null;
}

/**
 * Asks for a certificate: one live order per domain, whoever asks however often. The row is committed first, the job is
 * added after it, best effort.
 * @throws Problem `not_found`, `domain_not_verified`
 */
export async function requestOrder(deps: RequestOrderDeps, input: OrderRequest): Promise<{ order: Order; isQueued: boolean }> {
  const { tenantId, ...rest } = input;
  const { keyType, profile, phaseTimeoutMs: phaseMs } = deps;
  const { order } = await deps.orders.create(tenantId, { ...rest, keyType, profile, phaseMs });
  crashPoint('after-order-created', order.id);
  if (order.status !== 'new') return { order, isQueued: true };
  const { requestId } = input;
  const payload = { tenantId, orderId: order.id, ...(requestId !== null && { requestId }) };
  return { order, isQueued: await deps.jobs.enqueue('place-order', payload) };
}

/**
 * As `requestOrder`, and then a bounded wait for a worker to place the order, so that the caller normally gets the TXT value at once.
 * Returns the order as it is by then.
 * @throws Problem `not_found`, `domain_not_verified`
 */
export async function createOrder(deps: CreateOrderDeps, input: OrderRequest): Promise<Order> {
  const { order, isQueued } = await requestOrder(deps, input);
  // Without the queue store nobody will place it soon: `reconcile` sees to it once the store is back.
  return order.status === 'new' && isQueued && deps.issueWaitMs > 0 ? placed(deps, order) : order;
}

async function placed({ watch, orders, issueWaitMs }: CreateOrderDeps, { tenantId, id }: Order): Promise<Order> {
  await watch.untilPlaced(id, issueWaitMs);
  const order = await orders.get(tenantId, id);
  if (!order) throw terminal('not_found', 'The domain was deleted while its order was being placed.');
  return order;
}
