import { delegationProof, type LabelValues, type ZoneStore } from '@certwright/core';
import type { LabelLookup } from './zone';

export interface ZoneMemory {
  lookup: LabelLookup;
  /** Reads everything. Nothing is answered before that. */
  load(): Promise<void>;
  /** Reads what has changed since, and now and then everything. */
  refresh(now: number): Promise<void>;
  size(): number;
}

/** A transaction may commit after one that began later: what came in this long before the last look is read once more, in milliseconds. */
const OVERLAP_MS = 5_000;

/** Deletions, and whatever slipped through, in milliseconds. */
const RELOAD_MS = 600_000;

const PAGE = 50_000;

/** Labels that have nothing but their proof share this. */
const NO_VALUES: readonly string[] = [];

/**
 * The zone as PostgreSQL has it, kept in memory: no question from the internet reaches the database, and answers go on when it
 * is away.
 */
export function createZoneMemory(store: ZoneStore): ZoneMemory {
  let labels = new Map<string, readonly string[]>();
  let isLoaded = false;
  let reloadAt = 0;
  /** Change ids as of earlier looks, oldest first. */
  let marks: { at: number; id: string }[] = [];

  const put = (into: Map<string, readonly string[]>, { label, values }: LabelValues): void =>
    void into.set(label, values.length === 0 ? NO_VALUES : values);

  async function load(now = performance.now()): Promise<void> {
    const id = await store.newestChange(); // before the rows: what comes meanwhile is read again
    const fresh = new Map<string, readonly string[]>();
    for (let after = ''; ; ) {
      const page = await store.labels(after, PAGE);
      for (const label of page) fresh.set(label, NO_VALUES);
      if (page.length < PAGE) break;
      after = page.at(-1) ?? '';
    }
    for (const one of await store.values()) put(fresh, one);
    labels = fresh;
    marks = [{ at: now, id }];
    reloadAt = now + RELOAD_MS;
    isLoaded = true;
  }

  return {
    load,
    size: () => labels.size,
    lookup(label) {
      if (!isLoaded) return null;
      const values = labels.get(label);
      return values === undefined ? null : [delegationProof(label), ...values];
    },
    async refresh(now) {
      if (!isLoaded || now >= reloadAt) return load(now);
      const older = marks.filter(({ at }) => at <= now - OVERLAP_MS);
      const from = older.at(-1) ?? marks[0];
      if (!from) return load(now);
      const { newest, changed } = await store.changes(from.id);
      for (const one of changed) put(labels, one);
      marks = [...marks.slice(Math.max(0, older.length - 1)), { at: now, id: newest }];
    },
  };
}
