/** What a load brings, and how long it holds. */
export interface Loaded<T> {
  value: T;
  /** Seconds; null: not to be kept at all. */
  ttl: number | null;
}

export interface TtlCache<T> {
  /** What is kept and still holds. */
  peek(key: string): T | undefined;
  /** What is kept, or else what `load` brings; all who ask meanwhile wait for the same load. */
  get(key: string, load: () => Promise<Loaded<T>>): Promise<T>;
  forget(key: string): void;
}

/** Below it a zone with a TTL of 0 would be looked up for each of its names. */
const MIN_KEPT_MS = 5_000;

/** An hour's TTL is no reason to miss for an hour that a zone has moved. */
const MAX_KEPT_MS = 60_000;

/** At most `max` values, those unused longest going first. `now` is a monotonic clock in milliseconds. */
export function createTtlCache<T>({ max, now }: { max: number; now: () => number }): TtlCache<T> {
  const kept = new Map<string, { value: T; until: number }>();
  const loading = new Map<string, Promise<T>>();

  const peek = (key: string): T | undefined => {
    const entry = kept.get(key);
    if (!entry) return undefined;
    kept.delete(key);
    if (entry.until <= now()) return undefined;
    kept.set(key, entry); // a Map is in the order of insertion: now it is the one used last
    return entry.value;
  };

  const keep = (key: string, { value, ttl }: Loaded<T>): void => {
    kept.delete(key);
    if (ttl === null) return;
    kept.set(key, { value, until: now() + Math.min(MAX_KEPT_MS, Math.max(MIN_KEPT_MS, ttl * 1_000)) });
    const [oldest] = kept.keys();
    if (kept.size > max && oldest !== undefined) kept.delete(oldest);
  };

  return {
    peek,
    forget: (key) => void kept.delete(key),
    async get(key, load) {
      const value = peek(key);
      if (value !== undefined) return value;
      const current = loading.get(key);
      if (current) return current;
      const started = load()
        .then((loaded) => {
          keep(key, loaded);
          return loaded.value;
        })
        .finally(() => loading.delete(key));
      loading.set(key, started);
      return started;
    },
  };
}
