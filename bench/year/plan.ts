export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The first moment; later than the real one, which some columns have. */
export const T0 = Date.parse('2031-01-01T00:00:00Z');

export const LIVES = [90, 45, 6] as const;
/** Of a certificate, in days. */
export type Life = (typeof LIVES)[number];

export interface Outage {
  /** Days after the start. */
  from: number;
  days: number;
  /** No answer at all, or 503 with `Retry-After`. */
  kind: 'unreachable' | 'busy';
}

export interface YearPlan {
  certificates: number;
  days: number;
  /** Passes over what is due are so far apart at least, in milliseconds; orders go at their own moments. */
  tickMs: number;
  /** Parts of the certificates, by life; the rest lives 90 days. */
  shares: { 45: number; 6: number };
  /** So many of the certificates are of a CA that suggests windows (RFC 9773), the others of one that doesn't. */
  ariShare: number;
  /** So many of the sound domains are looked at every day, besides all that are broken or manual. */
  watchedShare: number;
  brokenShare: number;
  manualShare: number;
  outages: Outage[];
  /** On this day the CA moves the windows of `revokedShare` of the live certificates into the past; null: never. */
  revocationDay: number | null;
  revokedShare: number;
  /** `ACME_ORDERS_PER_3H` once all have their first certificate. */
  ordersPer3Hours: number;
}

/** Of one domain: all of it is settled beforehand. Times in ms since 1970. */
export interface Site {
  name: string;
  life: Life;
  hasAri: boolean;
  isManual: boolean;
  /** When its first certificate is asked for. */
  startsAt: number;
  brokenAt: number | null;
  /** Null: never. */
  mendedAt: number | null;
  isWatched: boolean;
}

export const YEAR: YearPlan = {
  certificates: 10_000,
  days: 365,
  tickMs: 30 * MINUTE_MS,
  shares: { 45: 0.38, 6: 0.02 },
  ariShare: 0.15,
  watchedShare: 0.002,
  brokenShare: 0.02,
  manualShare: 0.01,
  // The first while all of the first hour are due at once, 90 days' and 45 days' alike.
  outages: [
    { from: 58, days: 3, kind: 'unreachable' },
    { from: 150, days: 3, kind: 'busy' },
    { from: 270, days: 3, kind: 'unreachable' },
  ],
  revocationDay: 200,
  revokedShare: 0.1,
  ordersPer3Hours: 1_000,
};

export const SHORT_YEAR: YearPlan = {
  ...YEAR,
  certificates: 300,
  watchedShare: 0.05,
  brokenShare: 0.05,
  manualShare: 0.02,
  ordersPer3Hours: 300,
};

/** As part of the tests: one outage, while most are due; all that costs most statements is seldom. */
export const THIRD_OF_A_YEAR: YearPlan = {
  ...SHORT_YEAR,
  certificates: 100,
  days: 120,
  tickMs: 2 * HOUR_MS,
  shares: { 45: 0.2, 6: 0.02 },
  ariShare: 0.12,
  watchedShare: 0,
  brokenShare: 0.03,
  manualShare: 0.01,
  outages: [{ from: 29, days: 3, kind: 'unreachable' }],
  revocationDay: 75,
  revokedShare: 0.05,
};

/** Numbers from 0 to below 1, the same each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Who is what. A manual domain is never one of 6 days: nobody sets a value every three days. */
export function sitesOf(plan: YearPlan): Site[] {
  const random = seeded(1);
  return Array.from({ length: plan.certificates }, (_, index): Site => {
    const lot = random();
    const life = lot < plan.shares[6] ? 6 : lot < plan.shares[6] + plan.shares[45] ? 45 : 90;
    const isManual = life !== 6 && random() < plan.manualShare;
    const isBroken = !isManual && random() < plan.brokenShare;
    const brokenAt = isBroken ? T0 + (1 + random() * (plan.days - 2)) * DAY_MS : null;
    const mendedAt = brokenAt !== null && random() < 0.5 ? brokenAt + (2 + random() * 28) * DAY_MS : null;
    const name = `site-${index}.test`;
    const isWatched = isManual || isBroken || random() < plan.watchedShare;
    const hasAri = random() < plan.ariShare;
    return { name, life, hasAri, isManual, startsAt: T0 + random() * HOUR_MS, brokenAt, mendedAt, isWatched };
  });
}

export const isDelegated = ({ brokenAt, mendedAt }: Site, at: number): boolean => brokenAt === null || at < brokenAt || (mendedAt !== null && at >= mendedAt);

export const outageAt = ({ outages }: YearPlan, at: number): Outage | null =>
  outages.find(({ from, days }) => at >= T0 + from * DAY_MS && at < T0 + (from + days) * DAY_MS) ?? null;
