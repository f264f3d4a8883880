import type { WaitingRow } from './waiting-rows';

export interface Lateness {
  /** Takes in what the rows say now. */
  sample(rows: WaitingRow[]): void;
  /** Of every look seen: how much later it was recorded than it had been due. */
  lateMs: number[];
  /** How long the most overdue of the rows sampled last has been due: the looks that never came count too. */
  mostOverdueMs(now: number): number;
  overdue(now: number): number;
}

/**
 * How late orders are looked at, from samples that are closer together than the looks at one order: a look is seen as a
 * new `checked_at`, and was due at what `due_at` said before.
 */
export function createLateness(): Lateness {
  let known = new Map<string, WaitingRow>();
  const lateMs: number[] = [];
  const waits = (now: number): number[] => [...known.values()].map(({ due }) => now - due).filter((ms) => ms > 0);
  return {
    lateMs,
    sample(rows) {
      for (const row of rows) {
        const before = known.get(row.id);
        if (before === undefined || row.checked === null || row.checked === before.checked) continue;
        lateMs.push(Math.max(0, row.checked - before.due));
      }
      known = new Map(rows.map((row) => [row.id, row]));
    },
    mostOverdueMs: (now) => waits(now).reduce((most, ms) => Math.max(most, ms), 0),
    overdue: (now) => waits(now).length,
  };
}
