/** What one lookup may still use up. */
export interface Budget {
  /** How long one query may take now, in milliseconds; 0 when the time is up. */
  queryMs(): number;
  /** What is left of the whole time, in milliseconds. */
  leftMs(): number;
  /** What `promise` brings; null when the time is up before. */
  inTime<T>(promise: Promise<T>): Promise<T | null>;
  /** @throws TooManyQueries where fewer are left; queries that all who wait for one answer share are one lookup's. */
  spend(queries: number): void;
}

/** Whoever owns the zones on the way decides how many there are: one lookup must not be made a flood. */
export class TooManyQueries extends Error {
  constructor(readonly max: number) {
    super(`more than ${max} queries for one name`);
    this.name = 'TooManyQueries';
  }
}

/** One silent server must not use up the time that the rest of the lookup needs. */
export const QUERY_TIMEOUT_MS = 2_000;

/** For a lookup that starts now. */
export function createBudget(timeoutMs: number, maxQueries: number): Budget {
  const giveUpAt = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, giveUpAt - performance.now());
  let left = maxQueries;
  return {
    leftMs,
    queryMs: () => Math.min(QUERY_TIMEOUT_MS, leftMs()),
    inTime: (promise) => within(leftMs(), promise),
    spend(queries) {
      if (queries > left) throw new TooManyQueries(maxQueries);
      left -= queries;
    },
  };
}

export async function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
