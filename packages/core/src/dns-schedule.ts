const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** How long an order counts as watched after somebody last showed that they are waiting for it, in milliseconds. */
export const WATCHED_MS = 2 * MINUTE_MS;

/** Seconds apart while it is likely that the record comes any moment: [until this long after the value was told, this far apart]. */
const AT_FIRST: [number, number][] = [
  [20 * SECOND_MS, SECOND_MS],
  [MINUTE_MS, 2 * SECOND_MS],
  [5 * MINUTE_MS, 5 * SECOND_MS],
];

/**
 * When to look at DNS again, in milliseconds from now: quick at first and while somebody is waiting, then every
 * `pollIntervalMs`; at a sixth of that pace after an hour in vain, and where no name server answers, as that costs a worker the
 * whole time it waits for an answer. Off by up to a tenth, so that orders of one minute spread.
 */
export function nextLookMs(
  { waitedMs, isWatched, isAnswered, pollIntervalMs }: { waitedMs: number; isWatched: boolean; isAnswered: boolean; pollIntervalMs: number },
  random: number = Math.random(),
): number {
  const quick = isWatched ? SECOND_MS : AT_FIRST.find(([until]) => waitedMs < until)?.[1];
  const settled = isAnswered && waitedMs < 60 * MINUTE_MS ? pollIntervalMs : 6 * pollIntervalMs;
  return Math.round(Math.min(quick ?? settled, settled) * (0.9 + 0.2 * random));
}
