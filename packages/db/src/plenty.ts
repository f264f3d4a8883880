/** A count holds so long, in milliseconds. */
const HOLDS_MS = 5_000;

/** So many processes may count at the same moment, and all of them use their share of what they have seen to be free. */
const MOST_PROCESSES = 64;

const MAX_KNOWN = 1_000;

/** What this process may take without counting again, by what is counted. */
export interface Plenty {
  /** Takes one of each of `keys` where all of them have some left. */
  take(keys: string[]): boolean;
  /** So much was free when it was counted. */
  learn(key: string, free: number): void;
}

/** Counting thousands of slots for each of thousands of orders would cost more than all that is done with them. */
export function createPlenty(now: () => number = () => performance.now()): Plenty {
  const shares = new Map<string, { left: number; until: number }>();
  const has = (key: string): boolean => {
    const share = shares.get(key);
    return share !== undefined && share.left > 0 && share.until > now();
  };
  return {
    take(keys) {
      if (!keys.every(has)) return false;
      for (const key of keys) {
        const share = shares.get(key);
        if (share) share.left -= 1;
      }
      return true;
    },
    learn(key, free) {
      if (shares.size >= MAX_KNOWN) shares.clear();
      shares.set(key, { left: Math.floor(free / MOST_PROCESSES), until: now() + HOLDS_MS });
    },
  };
}
