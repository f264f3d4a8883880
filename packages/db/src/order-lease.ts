import { type Claim, type Lease, type Order, terminal } from '@certwright/core';
import type { Db, DbLike } from './client';
import type { Prisma } from './generated/client';
import { orderInclude, orderOmit, toOrder } from './rows';

/** A lease as the order store writes through it: the order it shows changes with each write. */
export interface HeldLease extends Lease {
  order: Order;
  readonly leaseMs: number;
}

interface ClaimRow {
  lease_token: number;
  now: Date;
}

/** Takes the lease by the database's clock: of any number of racers one gets the row. */
export async function claimLease(db: Db, tenantId: string, orderId: string, leaseMs: number): Promise<Claim> {
  const [claimed] = await db.$queryRaw<ClaimRow[]>`
    UPDATE orders
       SET lease_token = lease_token + 1, lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
     WHERE id = ${orderId}::uuid AND tenant_id = ${tenantId}::uuid AND status NOT IN ('valid', 'invalid')
       AND (lease_until IS NULL OR lease_until <= clock_timestamp())
    RETURNING lease_token, clock_timestamp() AS now`;
  const readAt = performance.now();
  if (!claimed) return whyNot(db, tenantId, orderId);
  const row = await db.order.findFirst({ where: { id: orderId, tenantId }, include: orderInclude, omit: orderOmit });
  if (!row) return { kind: 'over' };
  const lease: HeldLease = {
    order: toOrder(row),
    token: claimed.lease_token,
    leaseMs,
    now: () => new Date(claimed.now.getTime() + (performance.now() - readAt)),
  };
  return { kind: 'claimed', lease };
}

async function whyNot(db: Db, tenantId: string, orderId: string): Promise<Claim> {
  const [row] = await db.$queryRaw<{ wait_ms: number }[]>`
    SELECT greatest(0, extract(epoch FROM lease_until - clock_timestamp()) * 1000)::float8 AS wait_ms
      FROM orders
     WHERE id = ${orderId}::uuid AND tenant_id = ${tenantId}::uuid AND status NOT IN ('valid', 'invalid')`;
  return row ? { kind: 'busy', retryAfterMs: Math.ceil(row.wait_ms) + 50 } : { kind: 'over' };
}

/**
 * The one way an order is written by a worker: only while this lease's token and the status it was read at still stand.
 * Renews the lease unless the change lets go of it.
 * @throws Problem `lease_lost` when they don't: nothing was written.
 */
export async function writeThrough(db: DbLike, lease: HeldLease, data: Prisma.OrderUpdateManyMutationInput): Promise<void> {
  const { id, tenantId, status } = lease.order;
  const leaseUntil = new Date(lease.now().getTime() + lease.leaseMs);
  const { count } = await db.order.updateMany({
    where: { id, tenantId, status, leaseToken: lease.token },
    data: { leaseUntil, ...data },
  });
  if (count === 1) return;
  throw terminal('lease_lost', 'Another worker has taken this order over, or it is gone.');
}

/** Shows the written state through the lease. */
export async function refresh(db: DbLike, lease: HeldLease): Promise<void> {
  const { id, tenantId } = lease.order;
  const row = await db.order.findFirstOrThrow({ where: { id, tenantId }, include: orderInclude, omit: orderOmit });
  lease.order = toOrder(row);
}

