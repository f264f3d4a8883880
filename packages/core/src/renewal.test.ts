import { cappedByNeed, isUsable, leastAgeMs, lookInLineMs, momentIn, neededBy, nextAskMs, nextReminder, remindersDue, retryRenewalMs, windowOf } from './renewal';

const DAY = 86_400_000;
const START = new Date('2027-01-01T00:00:00Z');
const life = (days: number) => ({ notBefore: START, notAfter: new Date(START.getTime() + days * DAY) });
const daysIn = (date: Date): number => (date.getTime() - START.getTime()) / DAY;

describe('when a certificate is renewed, where the CA makes no suggestion', () => {
  it.each([
    [90, 55.5, 60],
    [45, 27.75, 30],
    [6, 2.7, 3], // under ten days: at half of its life
  ])('of %d days: between day %d and day %d', (days, from, to) => {
    const window = windowOf(life(days));
    expect(daysIn(window.start)).toBeCloseTo(from);
    expect(daysIn(window.end)).toBeCloseTo(to);
  });

  it('spreads what was issued in one hour: 100,000 of 90 days are renewed at under 1,100 an hour', () => {
    const window = windowOf(life(90));
    const byHour = new Map<number, number>();
    for (let index = 0; index < 100_000; index += 1) {
      const hour = Math.floor(momentIn(window).getTime() / 3_600_000);
      byHour.set(hour, (byHour.get(hour) ?? 0) + 1);
    }
    expect(Math.max(...byHour.values())).toBeLessThan(1_100);
  });

  it('a moment lies in the window, whatever chance says', () => {
    const window = windowOf(life(90));
    expect(momentIn(window, 0)).toEqual(window.start);
    expect(momentIn(window, 0.999_999).getTime()).toBeLessThan(window.end.getTime());
  });
});

describe('a renewal that has failed', () => {
  it('is tried again after 1, 4, 12 and 24 hours, then daily', () => {
    const hours = [1, 2, 3, 4, 9].map((failures) => retryRenewalMs({ failures, leftMs: 30 * DAY }, 1) / 3_600_000);
    expect(hours).toEqual([1, 4, 12, 24, 24]);
  });

  it('is never tried later than a quarter of the time that is left, and so never past the end', () => {
    for (const leftMs of [1_000, 60_000, 3_600_000, DAY, 3 * DAY]) {
      for (let failures = 1; failures < 20; failures += 1) {
        expect(retryRenewalMs({ failures, leftMs }, 1)).toBeLessThanOrEqual(Math.max(leftMs / 4, Math.min(leftMs, 600_000)));
      }
    }
  });

  it('is tried daily once it is too late, and weekly once that has been in vain for long', () => {
    expect(retryRenewalMs({ failures: 8, leftMs: -5 }, 1)).toBe(DAY);
    expect(retryRenewalMs({ failures: 80, leftMs: -5 }, 1)).toBe(7 * DAY);
  });

  it('does not come back as one with all others', () => {
    expect(retryRenewalMs({ failures: 4, leftMs: 30 * DAY }, 0)).toBe(0.8 * DAY);
  });
});

it('an order’s wait is cut down as its certificate’s end comes near; one that replaces nothing waits as long as it is told', () => {
  const now = START;
  expect(cappedByNeed(DAY, null, now)).toBe(DAY);
  expect(cappedByNeed(DAY, new Date(now.getTime() + 80 * DAY), now)).toBe(DAY);
  expect(cappedByNeed(DAY, new Date(now.getTime() + 8 * 3_600_000), now)).toBe(3_600_000);
  expect(cappedByNeed(DAY, new Date(now.getTime() + 1_000), now)).toBe(60_000);
  expect(cappedByNeed(DAY, new Date(now.getTime() - 1), now)).toBe(DAY);
});

it('the CA is asked again as it says, within a minute and a day; without a word after 6 hours', () => {
  expect([null, 0, 3_600_000, 99 * DAY].map(nextAskMs)).toEqual([6 * 3_600_000, 60_000, 3_600_000, DAY]);
});

it('until when it is needed: until its end, unless the CA wants it replaced much sooner; then until its window ends, with time for some tries', () => {
  const at = (days: number): Date => new Date(START.getTime() + days * DAY);
  expect(neededBy({ ...life(90), window: { start: at(58), end: at(60) } }, at(59))).toEqual(at(90));
  expect(neededBy({ ...life(90), window: { start: at(9), end: at(10) } }, at(9))).toEqual(at(10));
  expect(neededBy({ ...life(90), window: { start: at(9), end: at(10) } }, at(20))).toEqual(new Date(at(20).getTime() + 4 * 3_600_000));
  expect(neededBy({ ...life(90), window: { start: at(9), end: at(10) } }, at(90))).toEqual(at(90));
});

it('a suggestion that leaves no time is none', () => {
  const at = (days: number): Date => new Date(START.getTime() + days * DAY);
  expect(isUsable({ start: at(60), end: at(81) }, life(90))).toBe(true);
  expect(isUsable({ start: at(60), end: at(82) }, life(90))).toBe(false);
  expect(isUsable({ start: at(100), end: at(110) }, life(90))).toBe(false);
});

it('no certificate is renewed in its first half a day, or tenth, whatever the CA suggests', () => {
  expect(leastAgeMs(life(90))).toBe(12 * 3_600_000);
  expect(leastAgeMs({ notBefore: START, notAfter: new Date(START.getTime() + 60_000) })).toBe(6_000);
});

describe('reminders', () => {
  it('come at 30, 14, 7, 3 and 1 days of 90 before the end, and in proportion for other lives', () => {
    const left = (days: number): (number | null)[] =>
      [0, 1, 2, 3, 4, 5].map((sent) => {
        const at = nextReminder(life(days), sent);
        return at && Math.round((days - daysIn(at)) * 100) / 100;
      });
    expect(left(90)).toEqual([30, 14, 7, 3, 1, null]);
    expect(left(45)).toEqual([15, 7, 3.5, 1.5, 0.5, null]);
  });

  it('that were slept through count as one', () => {
    expect(remindersDue(life(90), new Date(START.getTime() + 84 * DAY))).toBe(3);
    expect(remindersDue(life(90), START)).toBe(0);
  });
});

it('lets an order in line look after a quarter of its wait, and more often the sooner it is needed', () => {
  const now = new Date(1_800_000_000_000);
  const HOUR = 3_600_000;
  expect(lookInLineMs(60_000, null, now, 0)).toBe(60_000);
  expect(lookInLineMs(30 * 60_000, null, now, 0)).toBe(10 * 60_000);
  expect(lookInLineMs(2 * HOUR, null, now, 0)).toBe(HOUR / 2);
  expect(lookInLineMs(24 * HOUR, null, now, 0)).toBe(HOUR);
  expect(lookInLineMs(24 * HOUR, null, now, 1)).toBeCloseTo(1.1 * HOUR);
  expect(lookInLineMs(6 * HOUR, new Date(now.getTime() + HOUR / 2), now, 0)).toBe(HOUR / 16);
  expect(lookInLineMs(6 * HOUR, new Date(now.getTime() - HOUR), now, 0)).toBe(HOUR);
});
