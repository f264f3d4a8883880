import type { Renewal, RenewalWindow } from './model';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Certificates with a life below this are renewed at half of it, others when a third is left, in milliseconds. */
const SHORT_LIFE_MS = 10 * DAY_MS;

/** What is issued in one hour is spread over this part of its life, so that it isn't renewed in one hour. */
const SPREAD = 1 / 20;

/** So close to the end of what it replaces, in milliseconds, a renewal goes before everything else. */
export const URGENT_MS = DAY_MS;

type Life = { notBefore: Date; notAfter: Date };

const lifeOf = ({ notBefore, notAfter }: Life): number => notAfter.getTime() - notBefore.getTime();

/** When a certificate is to be renewed, where the CA makes no suggestion. */
export function windowOf(certificate: Life): RenewalWindow {
  const life = lifeOf(certificate);
  const end = certificate.notAfter.getTime() - (life < SHORT_LIFE_MS ? life / 2 : life / 3);
  return { start: new Date(end - life * SPREAD), end: new Date(end) };
}

/** RFC 9773 section 4.2: a uniformly random moment within the window. */
export const momentIn = ({ start, end }: RenewalWindow, random: number = Math.random()): Date =>
  new Date(start.getTime() + Math.floor(random * Math.max(0, end.getTime() - start.getTime())));

/** How soon the CA is asked for the first time of a new certificate, in milliseconds: not of all at once. */
export const firstAskMs = (random: number = Math.random()): number => Math.round(random * HOUR_MS);

/** No certificate is renewed by itself so soon after it was issued: a CA that always says "at once" would be asked for ever. Milliseconds. */
export const leastAgeMs = (certificate: Life): number => Math.min(12 * HOUR_MS, lifeOf(certificate) / 10);

/** A suggestion that leaves no time for anything to go wrong, or none at all, is none. */
export const isUsable = ({ end }: RenewalWindow, certificate: Life): boolean => end.getTime() <= certificate.notAfter.getTime() - lifeOf(certificate) / 10;

/** What a CA leaves to those whose window is over, before it counts as too late: some tries fit in, in milliseconds. */
const HURRY_MS = 4 * HOUR_MS;

/** Until when a certificate is to be replaced: until its end, or the window's, where the CA is in a hurry (it is about to revoke). */
export function neededBy({ window, ...life }: Pick<Renewal, 'window' | 'notBefore' | 'notAfter'>, now: Date): Date {
  if (window.end >= windowOf(life).start) return life.notAfter;
  return new Date(Math.min(life.notAfter.getTime(), Math.max(window.end.getTime(), now.getTime() + HURRY_MS)));
}

const DEFAULT_ASK_MS = 6 * HOUR_MS;

/** When to ask the CA again: as it says, within reason (RFC 9773 section 4.3). Milliseconds. */
export const nextAskMs = (retryAfterMs: number | null): number => Math.min(Math.max(retryAfterMs ?? DEFAULT_ASK_MS, MINUTE_MS), DAY_MS);

/** After a question that got no answer, in milliseconds: the same for all, since it says something about the CA and not about one certificate. */
export const askAgainMs = (random: number = Math.random()): number => Math.round(HOUR_MS * (0.5 + random));

const RETRY_MS = [HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, DAY_MS];
/** More than a renewal has that is tried all the time it can be. */
const GIVEN_UP_FAILURES = 60;
const LEAST_RETRY_MS = 10 * MINUTE_MS;

/**
 * When a renewal is tried again after it has failed `failures` times in a row, in milliseconds: 1, 4, 12 h, then daily, but never later
 * than a quarter of the time that is left; once that is over daily, and where nobody has mended it for long, weekly. Off by up to a fifth, so that what failed as one doesn't come back as one.
 */
export function retryRenewalMs({ failures, leftMs }: { failures: number; leftMs: number }, random: number = Math.random()): number {
  const isGivenUp = leftMs <= 0 && failures > GIVEN_UP_FAILURES;
  const backOff = isGivenUp ? 7 * DAY_MS : (RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? HOUR_MS);
  const bounded = leftMs > 0 ? Math.min(backOff, Math.max(leftMs / 4, Math.min(LEAST_RETRY_MS, leftMs))) : backOff;
  return Math.round(bounded * (0.8 + 0.2 * random));
}

/** A wait of an order that is needed by then, in milliseconds: it must not sleep through the time that is left. */
export function cappedByNeed(delayMs: number, neededBy: Date | null, now: Date): number {
  const leftMs = neededBy === null ? 0 : neededBy.getTime() - now.getTime();
  return leftMs > 0 ? Math.min(delayMs, Math.max(leftMs / 8, MINUTE_MS)) : delayMs;
}

const LOOK_IN_LINE_MS = [600_000, 3_600_000] as const;

/**
 * When an order in line looks whether its turn has come sooner than was thought, in milliseconds: after a quarter of its wait, within bounds,
 * and so that it doesn't sleep through the time that is left; up to a tenth later, so that what came as one doesn't look as one.
 */
export function lookInLineMs(waitMs: number, neededBy: Date | null, now: Date, random: number = Math.random()): number {
  const [soonestMs, latestMs] = LOOK_IN_LINE_MS;
  const lookMs = Math.min(Math.max(soonestMs, waitMs / 4), latestMs);
  return Math.min(waitMs, cappedByNeed(lookMs, neededBy, now)) * (1 + random / 10);
}

/** Of a life of 90 days; others in proportion. */
const REMINDER_DAYS = [30, 14, 7, 3, 1];

/** When a customer who has to set a value is reminded after `sent` reminders; null: never again. */
export function nextReminder(certificate: Life, sent: number): Date | null {
  const days = REMINDER_DAYS[sent];
  return days === undefined ? null : new Date(certificate.notAfter.getTime() - (lifeOf(certificate) * days) / 90);
}

/** More than there are reminders: the owner has been told that it is too late. */
export const ALL_TOLD = REMINDER_DAYS.length + 1;

/** How many reminders are due by `now`: of several that were slept through only the last one is sent. */
export const remindersDue = (certificate: Life, now: Date): number =>
  REMINDER_DAYS.filter((_, index) => (nextReminder(certificate, index)?.getTime() ?? Infinity) <= now.getTime()).length;
