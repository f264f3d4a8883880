import { setTimeout as sleep } from 'node:timers/promises';

/** Works on all items, `width` at a time. */
export async function inLanes<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

/** Looks again and again. @throws Error when `look` has not said true within `timeoutMs`. */
export async function until(
  what: string,
  { timeoutMs, everyMs }: { timeoutMs: number; everyMs: number },
  look: () => Promise<boolean>,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${Math.round(timeoutMs / 1000)} s`);
    await sleep(everyMs);
  }
}
