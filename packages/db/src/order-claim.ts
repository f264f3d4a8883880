import type { Claim } from '@certwright/core';
import { accountColumns, accountFrom, type AccountRow } from './account-store';
import type { Db } from './client';
import { gather, list } from './gather';
import { Prisma } from './generated/client';
import type { HeldLease } from './order-lease';
import { orderColumns, type OrderRow, toOrder } from './rows';
import type { SealedBox } from './sealed-box';

export interface Wanted {
  tenantId: string;
  orderId: string;
  leaseMs: number;
}

type ClaimRow = Omit<OrderRow, 'accountId'> & AccountRow & { leaseToken: number; abandoned: boolean; nth: number; now: Date };

/** Takes leases by the database's clock, and reads the orders, in one statement: of any number of racers one gets a row. */
export function createClaims(db: Db, box: SealedBox): (wanted: Wanted) => Promise<Claim> {
  const claim = gather(async (wanted: Wanted[]) => {
    const rows = await claimRows(db, wanted);
    const readAt = performance.now();
    const given = new Map(rows.map((row) => [row.nth, row]));
    return wanted.map(({ leaseMs }, index) => {
      const row = given.get(index + 1);
      return row ? leaseOf(row, { box, leaseMs, readAt }) : null;
    });
  });
  return async (wanted) => {
    const lease = await claim(wanted);
    return lease ? { kind: 'claimed', lease } : whyNot(db, wanted);
  };
}

/** Of one that is asked for twice only one gets it (`nth`, from 1 on). A row that somebody is writing this very moment is passed over: one order must not hold up the others. */
const claimRows = (db: Db, wanted: Wanted[]): Promise<ClaimRow[]> =>
  db.run<ClaimRow>(Prisma.sql`
    WITH free AS (
      SELECT o.id, lease_until IS NOT NULL AS abandoned, w.lease_ms, w.nth::int, ${accountColumns}
        FROM unnest(${list(wanted.map(({ orderId }) => orderId), 'uuid')}, ${list(wanted.map(({ tenantId }) => tenantId), 'uuid')},
                    ${list(wanted.map(({ leaseMs }) => leaseMs), 'float8')}) WITH ORDINALITY AS w(id, tenant_id, lease_ms, nth)
        JOIN orders o ON o.id = w.id AND o.tenant_id = w.tenant_id LEFT JOIN accounts a ON a.id = o.account_id
       WHERE status NOT IN ('valid', 'invalid') AND (lease_until IS NULL OR lease_until <= clock_timestamp())
         FOR UPDATE OF o SKIP LOCKED
    )
    UPDATE orders o
       SET lease_token = lease_token + 1,
           lease_until = clock_timestamp() + f.lease_ms * interval '1 millisecond',
           crashes = crashes + f.abandoned::int
      FROM free f
     WHERE o.id = f.id
    RETURNING ${orderColumns}, f.*, o.lease_token AS "leaseToken", clock_timestamp() AS now`);

function leaseOf(claimed: ClaimRow, { box, leaseMs, readAt }: { box: SealedBox; leaseMs: number; readAt: number }): HeldLease {
  const { leaseToken, abandoned, nth: _nth, now, sealedKey, accountUrl, pausedUntil, ordersPausedUntil, pauseReason, ...row } = claimed;
  const { accountId } = row;
  const accountRow = { accountId, sealedKey, accountUrl, pausedUntil, ordersPausedUntil, pauseReason };
  const lease: HeldLease = {
    order: toOrder(row),
    get account() {
      return accountRow.accountId === null ? null : accountFrom(accountRow, box);
    },
    token: leaseToken,
    leaseMs,
    isHeld: true,
    tookOver: abandoned,
    notes: [],
    placed: null,
    note: (notes) => void lease.notes.push(...notes),
    notePlaced: (placed) => void (lease.placed = placed),
    now: () => new Date(now.getTime() + (performance.now() - readAt)),
  };
  return lease;
}

async function whyNot(db: Db, { tenantId, orderId }: Wanted): Promise<Claim> {
  const [row] = await db.run<{ wait_ms: number }>(Prisma.sql`
    SELECT greatest(0, extract(epoch FROM lease_until - clock_timestamp()) * 1000)::float8 AS wait_ms
      FROM orders
     WHERE id = ${orderId}::uuid AND tenant_id = ${tenantId}::uuid AND status NOT IN ('valid', 'invalid')`);
  return row ? { kind: 'busy', retryAfterMs: Math.ceil(row.wait_ms) + 50 } : { kind: 'over' };
}
