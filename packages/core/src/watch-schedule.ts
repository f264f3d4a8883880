import { nextLookMs } from './dns-schedule';
import type { Domain } from './model';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What one look has found wrong is looked at again after this, in milliseconds. */
export const SUSPECT_MS = 10 * MINUTE_MS;

/** How far apart looks are at a domain that is waited for, by how long it has been there. */
const PATIENCE: [number, number][] = [
  [DAY_MS, MINUTE_MS],
  [7 * DAY_MS, 10 * MINUTE_MS],
  [30 * DAY_MS, HOUR_MS],
];

/**
 * When to look at a domain's delegation again, in milliseconds; null: not until something is done to it. Every day where there is a
 * certificate to be renewed; quickly at first, then less and less often, where nobody has set the delegation yet. Off by up to a
 * tenth, so that domains of one hour spread.
 */
export function nextWatchMs(
  { domain, isMoved, now, pollIntervalMs }: { domain: Domain; isMoved: boolean; now: Date; pollIntervalMs: number },
  random: number = Math.random(),
): number | null {
  const daily = DAY_MS * (0.9 + 0.2 * random);
  if (domain.status === 'active' || domain.status === 'certificate_pending' || isMoved) return daily;
  if (!domain.auto) return null;
  if (domain.status === 'failed') return daily; // what it failed for may be over by then
  const waitedMs = now.getTime() - domain.createdAt.getTime();
  const settled = PATIENCE.find(([until]) => waitedMs < until)?.[1] ?? DAY_MS;
  if (waitedMs >= HOUR_MS) return settled * (0.9 + 0.2 * random);
  return nextLookMs({ waitedMs, isWatched: false, isAnswered: true, pollIntervalMs }, random);
}
