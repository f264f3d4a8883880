/** A count holds so long, in milliseconds; no more than `MOST_SPENT` are spent meanwhile, by whomever, so that less than that is counted for each. */
const HOLDS_MS = 5_000;
const MOST_SPENT = 5_000;

/** So many statements, of all processes, may count at the same moment, and all of them use their share of what they have seen to be free. */
export const MOST_AT_ONCE = 64;

const MAX_KNOWN = 1_000;

/** What this process may take without counting again, by what is counted. */
export interface Plenty {
  /** Whether there was one left of this process's share; then it is taken. */
  take(key: string): boolean;
  /** When it was counted, so many were free, of which so many have been given since. */
  learn(key: string, free: number, given: number): void;
}

/** Counting thousands of slots for each of thousands of orders would cost more than all that is done with them. */
export function createPlenty(now: () => number = () => performance.now()): Plenty {
  const shares = new Map<string, { left: number; until: number }>();
  return {
    take(key) {
      const share = shares.get(key);
      if (share === undefined || share.left <= 0 || share.until <= now()) return false;
      share.left -= 1;
      return true;
    },
    learn(key, free, given) {
      shares.delete(key);
      shares.set(key, { left: free > MOST_SPENT ? Math.floor(free / MOST_AT_ONCE) - given : 0, until: now() + HOLDS_MS });
      const [oldest] = shares.keys();
      if (shares.size > MAX_KNOWN && oldest !== undefined) shares.delete(oldest);
    },
  };
}
