import { setTimeout as sleep } from 'node:timers/promises';

/** More at once would make one of them wait for too many others. */
const MAX_AT_ONCE = 50;

/** How long after a run the next one begins, in milliseconds: nobody notices, and several hundred a second meet in it. */
const APART_MS = 10;

/**
 * `run` for one item at a time, in few runs: what is asked for during a run, and shortly after it, goes together in the next one. The first
 * never waits; the busier, the more share a statement. `run` gives one result for each item, in their order; where it fails, so does each
 * of them.
 */
export function gather<Item, Result>(run: (items: Item[]) => Promise<Result[]>): (item: Item) => Promise<Result> {
  const waiting: { item: Item; resolve(result: Result): void; reject(error: unknown): void }[] = [];
  let isRunning = false;
  async function runAll(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const taken = waiting.splice(0, MAX_AT_ONCE);
      try {
        const results = await run(taken.map(({ item }) => item));
        taken.forEach(({ resolve }, at) => resolve(results[at] as Result));
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
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
