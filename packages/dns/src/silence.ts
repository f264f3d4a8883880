import { QUERY_TIMEOUT_MS } from './budget';

/** Servers that have let us wait: each of thousands of names on them would otherwise take a worker as long again. */
export interface Silence {
  /** How much of `budgetMs` to wait for an answer of a server this time. */
  patienceMs(address: string, budgetMs: number): number;
  /** What came of waiting so long for it, in milliseconds. */
  noted(address: string, outcome: { answered: boolean; waitedMs: number }): void;
}

/** So many questions in a row without an answer, each given its full time, and a server counts as silent. */
const MISSES = 3;

/** What a silent server is given, in milliseconds: enough for most that are there again. */
const SHORT_MS = 500;

/** How often a silent server is given its full time, in milliseconds: it may be there again, and slow. */
const TRY_AGAIN_MS = 60_000;

/** Servers known at a time; those noted longest ago go first. */
const MAX_KNOWN = 10_000;

/** `now` is a monotonic clock in milliseconds. */
export function createSilence(now: () => number): Silence {
  const known = new Map<string, { misses: number; tryAgainAt: number }>();
  return {
    patienceMs(address, budgetMs) {
      const one = known.get(address);
      if (!one || one.misses < MISSES) return budgetMs;
      if (one.tryAgainAt > now() || budgetMs < QUERY_TIMEOUT_MS) return Math.min(SHORT_MS, budgetMs);
      one.tryAgainAt = now() + TRY_AGAIN_MS; // whoever asks now finds out for all
      return budgetMs;
    },
    noted(address, { answered, waitedMs }) {
      if (answered) return void known.delete(address);
      if (waitedMs < QUERY_TIMEOUT_MS) return; // it says little of a server that others leave us no time for
      const misses = (known.get(address)?.misses ?? 0) + 1;
      known.delete(address);
      known.set(address, { misses, tryAgainAt: now() + TRY_AGAIN_MS });
      const [oldest] = known.keys();
      if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    },
  };
}

/** Waits for each as long as there is time, and learns nothing. */
export const PATIENT: Silence = { patienceMs: (_address, budgetMs) => budgetMs, noted: () => undefined };
