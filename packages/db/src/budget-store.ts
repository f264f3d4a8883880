import type { BudgetStore, Order, Slot } from '@certwright/core';
import type { Db, DbLike } from './client';

const WINDOW_MS = 3 * 3_600_000;
const WEEK_MS = 7 * 86_400_000;

/** With more slots than this free nobody needs to stand in line. */
const PLENTY = 200;

/** When those ahead in line hold nothing that could become free: they are just not awake yet. */
const SOON_MS = 30_000;

export function createBudgetStore(db: Db): BudgetStore {
  return {
    takeSlot: (accountId, order, registeredDomain, { per3Hours, perRegisteredDomainPerWeek }) =>
      db.$transaction(async (tx): Promise<Slot> => {
        // One at a time per account: a count that two racers read would be one too low for the second.
        await tx.$queryRaw`SELECT 1 FROM accounts WHERE id = ${accountId}::uuid FOR UPDATE`;
        const { mine, used, usedByDomain } = await count(tx, accountId, order, registeredDomain);
        if (mine) return { kind: 'taken' };
        if (!order.renewal && usedByDomain >= perRegisteredDomainPerWeek) {
          const waitMs = await freedIn(tx, accountId, WEEK_MS, usedByDomain - perRegisteredDomainPerWeek, registeredDomain);
          return { kind: 'spent', by: 'registered-domain', waitMs };
        }
        const free = per3Hours - used;
        const ahead = free > PLENTY ? 0 : await aheadOf(tx, order);
        if (ahead >= free) {
          const nth = ahead - free;
          const rounds = used === 0 ? 0 : Math.floor(nth / used);
          const waitMs = used === 0 ? SOON_MS : (await freedIn(tx, accountId, WINDOW_MS, nth % used)) + rounds * WINDOW_MS;
          return { kind: 'spent', by: 'account', waitMs };
        }
        await tx.$executeRaw`
          INSERT INTO order_slots (order_id, generation, account_id, registered_domain, renewal, taken_at)
          VALUES (${order.id}::uuid, ${order.generation}, ${accountId}::uuid, ${registeredDomain}, ${order.renewal}, clock_timestamp())`;
        await tx.$executeRaw`
          DELETE FROM order_slots
           WHERE account_id = ${accountId}::uuid AND taken_at < clock_timestamp() - ${WEEK_MS} * interval '1 millisecond'`;
        return { kind: 'taken' };
      }),
  };
}

async function count(tx: DbLike, accountId: string, order: Order, registeredDomain: string) {
  const [row] = await tx.$queryRaw<{ mine: boolean; used: number; usedByDomain: number }[]>`
    SELECT EXISTS (SELECT 1 FROM order_slots WHERE order_id = ${order.id}::uuid AND generation = ${order.generation}) AS mine,
           (SELECT count(*)::int FROM order_slots
             WHERE account_id = ${accountId}::uuid
               AND taken_at > clock_timestamp() - ${WINDOW_MS} * interval '1 millisecond') AS used,
           (SELECT count(*)::int FROM order_slots
             WHERE account_id = ${accountId}::uuid AND registered_domain = ${registeredDomain} AND NOT renewal
               AND taken_at > clock_timestamp() - ${WEEK_MS} * interval '1 millisecond') AS "usedByDomain"`;
  return row ?? { mine: false, used: 0, usedByDomain: 0 };
}

/**
 * How many orders in line come first: all renewals before a first certificate; among equals the n-th of each tenant before
 * anybody's n+1st. Orders that wait for something else are not in line.
 */
async function aheadOf(tx: DbLike, { id, tenantId, renewal, createdAt }: Order): Promise<number> {
  const [row] = await tx.$queryRaw<{ ahead: number }[]>`
    WITH line AS (
      SELECT id, tenant_id, renewal, created_at FROM orders
       WHERE status = 'new' AND (reason IS NULL OR reason->>'code' = 'acme_budget_spent')
    ), turn AS (
      SELECT count(*) AS n FROM line
       WHERE tenant_id = ${tenantId}::uuid AND renewal = ${renewal} AND (created_at, id) < (${createdAt}, ${id}::uuid)
    ), tenants AS (
      SELECT tenant_id, count(*) AS n FROM line WHERE renewal = ${renewal} GROUP BY 1
    )
    SELECT ((SELECT n FROM turn)
            + (SELECT coalesce(sum(least(t.n, turn.n)), 0) FROM tenants t, turn WHERE t.tenant_id <> ${tenantId}::uuid)
            + (SELECT count(*) FROM line WHERE renewal AND NOT ${renewal}))::int AS ahead`;
  return row?.ahead ?? 0;
}

/** Milliseconds until the slot after the `skip` oldest of a window becomes free. */
async function freedIn(
  tx: DbLike,
  accountId: string,
  windowMs: number,
  skip: number,
  registeredDomain: string | null = null,
): Promise<number> {
  const [row] = await tx.$queryRaw<{ ms: number }[]>`
    SELECT extract(epoch FROM taken_at - clock_timestamp())::float8 * 1000 + ${windowMs} AS ms
      FROM order_slots
     WHERE account_id = ${accountId}::uuid AND taken_at > clock_timestamp() - ${windowMs} * interval '1 millisecond'
       AND (${registeredDomain}::text IS NULL OR (registered_domain = ${registeredDomain} AND NOT renewal))
     ORDER BY taken_at OFFSET ${skip} LIMIT 1`;
  return Math.max(0, row?.ms ?? SOON_MS);
}
