import { setTimeout as sleep } from 'node:timers/promises';
import { Prisma } from './generated/client';

/** More at once would make one of them wait for too many others. */
const MAX_AT_ONCE = 50;

/** How long after a run the next one begins, in milliseconds: nobody notices, and several hundred a second meet in it. */
const APART_MS = 10;

/** A run that takes as long is not waited for by the next one, in milliseconds: one connection that is stuck must not stop everything. */
const SLOW_MS = 250;

interface Asked<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * `run` for one item at a time, in few runs: what is asked for during a run, and shortly after it, goes together in the next one. The first
 * never waits; the busier, the more share a statement. `run` gives one result for each item, in their order; of a run that fails each item
 * runs once more, alone, so that it must be safe to run what may have been done.
 */
export function gather<Item, Result>(run: (items: Item[]) => Promise<Result[]>): (item: Item) => Promise<Result> {
  const waiting: Asked<Item, Result>[] = [];
  let isRunning = false;

  async function settle(taken: Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await run(taken.map(({ item }) => item));
      taken.forEach(({ resolve }, at) => resolve(results[at] as Result));
    } catch (error) {
      if (taken.length > 1) await Promise.all(taken.map((one) => settle([one])));
      else taken[0]?.reject(error);
    }
  }

  async function runAll(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      let timer: NodeJS.Timeout | undefined;
      const isSlow = new Promise((resolve) => {
        timer = setTimeout(resolve, SLOW_MS);
      });
      await Promise.race([settle(waiting.splice(0, MAX_AT_ONCE)), isSlow]);
      clearTimeout(timer);
      await sleep(APART_MS);
    }
    isRunning = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isRunning) void runAll();
    });
}

/**
 * A column of what is gathered, as an array of `type`. In a subquery: PostgreSQL would plan anew for each number of values that it sees, which takes
 * longer than the statement.
 */
export const list = (values: unknown[], type: string): Prisma.Sql => Prisma.sql`(SELECT ${values}::${Prisma.raw(type)}[])`;
