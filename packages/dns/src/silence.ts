/** Servers that have let us wait: each of thousands of names on them would otherwise take a worker as long again. */
export interface Silence {
  /** How long to wait for an answer of a server this time, in milliseconds. */
  patienceMs(address: string): number;
  /** What came of a question to it. */
  noted(address: string, answered: boolean): void;
}

/** So many questions in a row without an answer, and a server counts as silent. */
const MISSES = 3;

/** What a silent server is given, in milliseconds: enough for any that is there again. */
const SHORT_MS = 500;

/** How often a silent server is given its full time, in milliseconds: it may be there again, and slow. */
const TRY_AGAIN_MS = 60_000;

/** Servers known at a time; those noted longest ago go first. */
const MAX_KNOWN = 10_000;

/** `now` is a monotonic clock in milliseconds. */
export function createSilence(now: () => number): Silence {
  const known = new Map<string, { misses: number; tryAgainAt: number }>();
  return {
    patienceMs(address) {
      const one = known.get(address);
      if (!one || one.misses < MISSES) return Infinity;
      if (one.tryAgainAt > now()) return SHORT_MS;
      one.tryAgainAt = now() + TRY_AGAIN_MS; // whoever asks now finds out for all
      return Infinity;
    },
    noted(address, answered) {
      const misses = answered ? 0 : (known.get(address)?.misses ?? 0) + 1;
      const tryAgainAt = misses > MISSES ? (known.get(address)?.tryAgainAt ?? 0) : now() + TRY_AGAIN_MS;
      known.delete(address);
      if (misses > 0) known.set(address, { misses, tryAgainAt });
      const [oldest] = known.keys();
      if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    },
  };
}
