import { type BudgetStore, type Order, type OrderBudget, type Slot, URGENT_MS } from '@certwright/core';
import type { Db, PrismaLike } from './client';
import { gather, list } from './gather';
import { Prisma } from './generated/client';
import { createPlenty, MOST_AT_ONCE, type Plenty } from './plenty';

const WINDOW_MS = 3 * 3_600_000;
const WEEK_MS = 7 * 86_400_000;

/** With more slots than this free nobody needs to stand in line. */
const PLENTY = 200;

/** When those ahead in line hold nothing that could become free: they are just not awake yet. */
const SOON_MS = 30_000;

/** Stable, as `clock_timestamp()` is not, and without a parameter: so an index can be used, and the planner knows how few rows there are. */
const since = (windowMs: number): Prisma.Sql => Prisma.sql`statement_timestamp() - ${Prisma.raw(String(windowMs))} * interval '1 millisecond'`;

/** What is too old to count. What another statement is deleting this very moment is left to it. */
const outdated = (accountIds: Prisma.Sql): Prisma.Sql => Prisma.sql`
  DELETE FROM order_slots WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM order_slots WHERE account_id IN (${accountIds}) AND taken_at < ${since(WEEK_MS)} FOR UPDATE SKIP LOCKED))`;

export function createBudgetStore(db: Db): BudgetStore {
  const plenty = createPlenty();
  const takeOfPlenty = gather((wanted: Wanted[]) => takeAllOfPlenty(db, plenty, wanted));
  return {
    async takeSlot(accountId, order, registeredDomain, budget) {
      const { per3Hours, perRegisteredDomainPerWeek } = budget;
      const mayBePlenty = per3Hours > PLENTY && (order.renewal || perRegisteredDomainPerWeek > PLENTY);
      if (mayBePlenty && (await takeOfPlenty({ accountId, order, registeredDomain, budget }))) return { kind: 'taken' };
      // Most in a long line are told without a lock that their turn has not come.
      const first = await turnOf(db.prisma, accountId, order, registeredDomain, budget);
      if (first.kind === 'spent') return first;
      if (first.isMine) return countAnew(db.prisma, order);
      return db.prisma.$transaction(async (tx): Promise<Slot> => {
        // One at a time per account: a count that two racers read would be one too low for the second. It holds up no row that refers to the account.
        await tx.$queryRaw`SELECT 1 FROM accounts WHERE id = ${accountId}::uuid FOR NO KEY UPDATE`;
        const slot = await turnOf(tx, accountId, order, registeredDomain, budget);
        if (slot.kind === 'spent') return slot;
        await tx.$executeRaw`
          WITH outdated AS (${outdated(Prisma.sql`${accountId}::uuid`)})
          INSERT INTO order_slots (order_id, generation, account_id, tenant_id, registered_domain, renewal, taken_at)
          VALUES (${order.id}::uuid, ${order.generation}, ${accountId}::uuid, ${order.tenantId}::uuid, ${registeredDomain}, ${order.renewal}, clock_timestamp())
              ON CONFLICT (order_id, generation) DO UPDATE SET taken_at = excluded.taken_at`;
        return { kind: 'taken' };
      });
    },
  };
}

/** Sent again, it is counted from now on: an order that could not be sent in an outage must not come on top of those of its end. */
async function countAnew(tx: PrismaLike, { id, generation }: Order): Promise<Slot> {
  await tx.$executeRaw`UPDATE order_slots SET taken_at = clock_timestamp() WHERE order_id = ${id}::uuid AND generation = ${generation}`;
  return { kind: 'taken' };
}

type Turn = Extract<Slot, { kind: 'spent' }> | { kind: 'taken'; isMine: boolean };

/** Whether the order's turn has come; `isMine`: it has a slot that counts already. */
async function turnOf(tx: PrismaLike, accountId: string, order: Order, registeredDomain: string, budget: OrderBudget): Promise<Turn> {
  const { per3Hours, perRegisteredDomainPerWeek } = budget;
  const { mine, used, usedByDomain } = await count(tx, accountId, order, registeredDomain);
  if (mine) return { kind: 'taken', isMine: true };
  if (!order.renewal && usedByDomain >= perRegisteredDomainPerWeek) {
    const waitMs = await freedIn(tx, accountId, WEEK_MS, usedByDomain - perRegisteredDomainPerWeek, registeredDomain);
    return { kind: 'spent', by: 'registered-domain', waitMs };
  }
  const free = per3Hours - used;
  const ahead = free > PLENTY ? 0 : await aheadOf(tx, accountId, order);
  if (ahead < free) return { kind: 'taken', isMine: false };
  const nth = ahead - free;
  const rounds = used === 0 ? 0 : Math.floor(nth / used);
  const waitMs = used === 0 ? SOON_MS : (await freedIn(tx, accountId, WINDOW_MS, nth % used)) + rounds * WINDOW_MS;
  return { kind: 'spent', by: 'account', waitMs };
}

interface Wanted {
  accountId: string;
  order: Order;
  registeredDomain: string;
  budget: OrderBudget;
}

interface Given {
  nth: number;
  isTaken: boolean;
  /** Null where they were not counted. */
  used: number | null;
  usedByDomain: number | null;
}

/**
 * Without a lock: a statement that counts gives away its share of what it sees to be free, and no more, as others may see the same.
 * Returns who has got a slot. Renewals don't count against their registered domain.
 */
async function takeAllOfPlenty(db: Db, plenty: Plenty, wanted: Wanted[]): Promise<boolean[]> {
  const given = await db.run<Given>(Prisma.sql`
    WITH wanted AS (
      SELECT * FROM unnest(
        ${list(wanted.map(({ order }) => order.id), 'uuid')}, ${list(wanted.map(({ order }) => order.generation), 'int')},
        ${list(wanted.map(({ accountId }) => accountId), 'uuid')}, ${list(wanted.map(({ order }) => order.tenantId), 'uuid')},
        ${list(wanted.map(({ registeredDomain }) => registeredDomain), 'text')}, ${list(wanted.map(({ order }) => order.renewal), 'boolean')},
        ${list(wanted.map(({ budget }) => budget.per3Hours - PLENTY), 'int')},
        ${list(wanted.map(({ budget }) => budget.perRegisteredDomainPerWeek - PLENTY), 'int')},
        ${list(wanted.map(({ accountId }) => plenty.take(accountId)), 'boolean')},
        ${list(wanted.map((one) => one.order.renewal || plenty.take(domainKey(one))), 'boolean')}
      ) WITH ORDINALITY AS w(order_id, generation, account_id, tenant_id, registered_domain, renewal, most, most_by_domain, is_sure, is_sure_by_domain, nth)
    ), outdated AS (${outdated(Prisma.sql`SELECT account_id FROM wanted`)}
    ), by_account AS (
      SELECT account_id, (SELECT count(*)::int FROM order_slots s WHERE s.account_id = w.account_id AND taken_at > ${since(WINDOW_MS)}) AS used
        FROM (SELECT DISTINCT account_id FROM wanted WHERE NOT is_sure) w
    ), by_domain AS (
      SELECT account_id, registered_domain, (SELECT count(*)::int FROM order_slots s
               WHERE s.account_id = w.account_id AND s.registered_domain = w.registered_domain AND NOT renewal AND taken_at > ${since(WEEK_MS)}) AS used
        FROM (SELECT DISTINCT account_id, registered_domain FROM wanted WHERE NOT is_sure_by_domain) w
    ), counted AS (
      SELECT w.*, a.used, d.used AS used_by_domain,
             row_number() OVER (PARTITION BY account_id, is_sure ORDER BY nth) AS place,
             row_number() OVER (PARTITION BY account_id, registered_domain, is_sure_by_domain ORDER BY nth) AS place_by_domain
        FROM wanted w LEFT JOIN by_account a USING (account_id) LEFT JOIN by_domain d USING (account_id, registered_domain)
    ), taken AS (
      INSERT INTO order_slots (order_id, generation, account_id, tenant_id, registered_domain, renewal, taken_at)
      SELECT order_id, generation, account_id, tenant_id, registered_domain, renewal, clock_timestamp() FROM counted
       WHERE (is_sure OR place <= (most - used) / ${MOST_AT_ONCE}::int)
         AND (is_sure_by_domain OR place_by_domain <= (most_by_domain - used_by_domain) / ${MOST_AT_ONCE}::int)
          ON CONFLICT (order_id, generation) DO UPDATE SET taken_at = excluded.taken_at
      RETURNING order_id
    )
    SELECT nth::int, EXISTS (SELECT 1 FROM taken t WHERE t.order_id = c.order_id) AS "isTaken",
           CASE WHEN is_sure THEN NULL ELSE used END AS used,
           CASE WHEN is_sure_by_domain THEN NULL ELSE used_by_domain END AS "usedByDomain"
      FROM counted c ORDER BY nth`);
  learnFrom(plenty, wanted, given);
  const isTaken = new Set(given.filter((one) => one.isTaken).map(({ nth }) => nth - 1));
  return wanted.map((_one, index) => isTaken.has(index));
}

const domainKey = ({ accountId, registeredDomain }: Wanted): string => `${accountId} ${registeredDomain}`;

/** What was counted is known for a while, less what the same statement has given away of it. */
function learnFrom(plenty: Plenty, wanted: Wanted[], given: Given[]): void {
  const seen = new Map<string, { free: number; given: number }>();
  const add = (key: string, free: number, isTaken: boolean): void => {
    const before = seen.get(key)?.given ?? 0;
    seen.set(key, { free, given: before + (isTaken ? 1 : 0) });
  };
  for (const { nth, isTaken, used, usedByDomain } of given) {
    const one = wanted[nth - 1];
    if (one && used !== null) add(one.accountId, one.budget.per3Hours - PLENTY - used, isTaken);
    if (one && usedByDomain !== null) add(domainKey(one), one.budget.perRegisteredDomainPerWeek - PLENTY - usedByDomain, isTaken);
  }
  for (const [key, { free, given: gone }] of seen) plenty.learn(key, free, gone);
}

async function count(tx: PrismaLike, accountId: string, order: Order, registeredDomain: string) {
  const [row] = await tx.$queryRaw<{ mine: boolean; used: number; usedByDomain: number }[]>`
    SELECT EXISTS (SELECT 1 FROM order_slots
                    WHERE order_id = ${order.id}::uuid AND generation = ${order.generation} AND taken_at > ${since(WINDOW_MS)}) AS mine,
           (SELECT count(*)::int FROM order_slots
             WHERE account_id = ${accountId}::uuid
               AND taken_at > ${since(WINDOW_MS)}) AS used,
           (SELECT count(*)::int FROM order_slots
             WHERE account_id = ${accountId}::uuid AND registered_domain = ${registeredDomain} AND NOT renewal
               AND taken_at > ${since(WEEK_MS)}) AS "usedByDomain"`;
  return row ?? { mine: false, used: 0, usedByDomain: 0 };
}

/** 0 for what is needed within a day, 1 for renewals, 2 for first certificates, 3 for what comes too late anyway. */
const rank = Prisma.sql`
  CASE WHEN needed_by <= (SELECT clock_timestamp()) THEN 3
       WHEN needed_by < (SELECT clock_timestamp()) + ${URGENT_MS} * interval '1 millisecond' THEN 0 WHEN renewal THEN 1 ELSE 2 END`;

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
         AND NOT EXISTS (SELECT 1 FROM order_slots s WHERE s.order_id = o.id AND s.generation = o.generation AND s.taken_at > ${since(WINDOW_MS)})
    ), had AS (
      SELECT tenant_id, count(*) AS n FROM order_slots
       WHERE account_id = ${accountId}::uuid AND taken_at > ${since(WINDOW_MS)}
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
     WHERE account_id = ${accountId}::uuid AND taken_at > ${since(windowMs)}
       AND (${registeredDomain}::text IS NULL OR (registered_domain = ${registeredDomain} AND NOT renewal))
     ORDER BY taken_at OFFSET ${skip} LIMIT 1`;
  return Math.max(0, row?.ms ?? SOON_MS);
}
