import { type BudgetStore, type Order, type OrderBudget, type Slot, URGENT_MS } from '@certwright/core';
import type { Db, PrismaLike } from './client';
import { Prisma } from './generated/client';

const WINDOW_MS = 3 * 3_600_000;
const WEEK_MS = 7 * 86_400_000;

/** With more slots than this free nobody needs to stand in line. */
const PLENTY = 200;

/** When those ahead in line hold nothing that could become free: they are just not awake yet. */
const SOON_MS = 30_000;

export function createBudgetStore(db: Db): BudgetStore {
  return {
    async takeSlot(accountId, order, registeredDomain, budget) {
      const { per3Hours, perRegisteredDomainPerWeek } = budget;
      if (await takeOfPlenty(db, accountId, order, registeredDomain, budget)) return { kind: 'taken' };
      return db.prisma.$transaction(async (tx): Promise<Slot> => {
        // One at a time per account: a count that two racers read would be one too low for the second.
        await tx.$queryRaw`SELECT 1 FROM accounts WHERE id = ${accountId}::uuid FOR UPDATE`;
        const { mine, used, usedByDomain } = await count(tx, accountId, order, registeredDomain);
        if (mine) return { kind: 'taken' };
        if (!order.renewal && usedByDomain >= perRegisteredDomainPerWeek) {
          const waitMs = await freedIn(tx, accountId, WEEK_MS, usedByDomain - perRegisteredDomainPerWeek, registeredDomain);
          return { kind: 'spent', by: 'registered-domain', waitMs };
        }
        const free = per3Hours - used;
        const ahead = free > PLENTY ? 0 : await aheadOf(tx, accountId, order);
        if (ahead >= free) {
          const nth = ahead - free;
          const rounds = used === 0 ? 0 : Math.floor(nth / used);
          const waitMs = used === 0 ? SOON_MS : (await freedIn(tx, accountId, WINDOW_MS, nth % used)) + rounds * WINDOW_MS;
          return { kind: 'spent', by: 'account', waitMs };
        }
        await tx.$executeRaw`INSERT INTO order_slots ${slotOf(accountId, order, registeredDomain)}`;
        return { kind: 'taken' };
      });
    },
  };
}

const slotOf = (accountId: string, { id, generation, tenantId, renewal }: Order, registeredDomain: string): Prisma.Sql => Prisma.sql`
  (order_id, generation, account_id, tenant_id, registered_domain, renewal, taken_at)
  SELECT ${id}::uuid, ${generation}, ${accountId}::uuid, ${tenantId}::uuid, ${registeredDomain}, ${renewal}, clock_timestamp()`;

/** Without a lock: racers are fewer than what is left over. */
async function takeOfPlenty(
  db: Db,
  accountId: string,
  order: Order,
  registeredDomain: string,
  { per3Hours, perRegisteredDomainPerWeek }: OrderBudget,
): Promise<boolean> {
  const taken = await db.run(Prisma.sql`
    WITH outdated AS (
      DELETE FROM order_slots
       WHERE account_id = ${accountId}::uuid AND taken_at < clock_timestamp() - ${WEEK_MS} * interval '1 millisecond')
    INSERT INTO order_slots ${slotOf(accountId, order, registeredDomain)}
     WHERE ${per3Hours - PLENTY} > (SELECT count(*) FROM order_slots
             WHERE account_id = ${accountId}::uuid AND taken_at > clock_timestamp() - ${WINDOW_MS} * interval '1 millisecond')
       AND (${order.renewal} OR ${perRegisteredDomainPerWeek - PLENTY} > (SELECT count(*) FROM order_slots
             WHERE account_id = ${accountId}::uuid AND registered_domain = ${registeredDomain} AND NOT renewal
               AND taken_at > clock_timestamp() - ${WEEK_MS} * interval '1 millisecond'))
    ON CONFLICT DO NOTHING
    RETURNING 1 AS taken`);
  return taken.length === 1;
}

async function count(tx: PrismaLike, accountId: string, order: Order, registeredDomain: string) {
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

/** 0 for what is needed within a day, 1 for renewals, 2 for first certificates, 3 for what comes too late anyway. */
const rank = Prisma.sql`
  CASE WHEN needed_by <= clock_timestamp() THEN 3
       WHEN needed_by < clock_timestamp() + ${URGENT_MS} * interval '1 millisecond' THEN 0 WHEN renewal THEN 1 ELSE 2 END`;

/**
 * How many orders in line come first: all that are needed within a day, then all renewals, then first certificates, then those whose certificate has
 * ended; among equals the n-th of
 * each tenant in the window before anybody's n+1st. Orders that wait for something else, or have their slot already, are not in line.
 */
async function aheadOf(tx: PrismaLike, accountId: string, { id, tenantId, createdAt }: Order): Promise<number> {
  const [row] = await tx.$queryRaw<{ ahead: number }[]>`
    WITH line AS (
      SELECT id, tenant_id, ${rank} AS rank, created_at FROM orders o
       WHERE status = 'new' AND (reason IS NULL OR reason->>'code' = 'acme_budget_spent' AND reason->>'budget' IS DISTINCT FROM 'registered-domain')
         AND NOT EXISTS (SELECT 1 FROM order_slots s WHERE s.order_id = o.id AND s.generation = o.generation)
    ), had AS (
      SELECT tenant_id, count(*) AS n FROM order_slots
       WHERE account_id = ${accountId}::uuid AND taken_at > clock_timestamp() - ${WINDOW_MS} * interval '1 millisecond'
       GROUP BY 1
    ), me AS (
      SELECT ${rank} AS rank FROM orders WHERE id = ${id}::uuid
    ), mine AS (
      SELECT count(*) AS before, coalesce((SELECT n FROM had WHERE tenant_id = ${tenantId}::uuid), 0) AS had FROM line
       WHERE tenant_id = ${tenantId}::uuid AND rank = (SELECT rank FROM me) AND (created_at, id) < (${createdAt}, ${id}::uuid)
    ), others AS (
      SELECT tenant_id, count(*) AS n FROM line WHERE rank = (SELECT rank FROM me) AND tenant_id <> ${tenantId}::uuid GROUP BY 1
    )
    SELECT (mine.before
            + (SELECT coalesce(sum(least(o.n, greatest(0, mine.had + mine.before - coalesce(h.n, 0)))), 0)
                 FROM others o LEFT JOIN had h USING (tenant_id))
            + (SELECT count(*) FROM line WHERE rank < (SELECT rank FROM me)))::int AS ahead
      FROM mine`;
  return row?.ahead ?? 0;
}

/** Milliseconds until the slot after the `skip` oldest of a window becomes free. */
async function freedIn(
  tx: PrismaLike,
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
