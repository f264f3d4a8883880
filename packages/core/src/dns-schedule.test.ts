import { nextLookMs } from './dns-schedule';

const at = (waitedMs: number, isWatched = false, pollIntervalMs = 10_000): number => nextLookMs({ waitedMs, isWatched, isAnswered: true, pollIntervalMs }, 0.5);

describe('when to look at DNS again', () => {
  it('is quick at first, then settles at POLL_INTERVAL, and slows down after an hour', () => {
    expect([0, 30_000, 120_000, 600_000, 4_000_000].map((waited) => at(waited))).toEqual([1_000, 2_000, 5_000, 10_000, 60_000]);
  });

  it('is quick while somebody is waiting, however long it has taken', () => {
    expect(at(86_400_000, true)).toBe(1_000);
  });

  it('is never slower than POLL_INTERVAL in the first hour', () => {
    expect(at(120_000, false, 500)).toBe(500);
  });

  it('is slow where no name server answers', () => {
    expect(nextLookMs({ waitedMs: 600_000, isWatched: false, isAnswered: false, pollIntervalMs: 10_000 }, 0.5)).toBe(60_000);
  });

  it('is off by up to a tenth', () => {
    const look = (random: number): number => nextLookMs({ waitedMs: 600_000, isWatched: false, isAnswered: true, pollIntervalMs: 10_000 }, random);
    expect([look(0), look(1)]).toEqual([9_000, 11_000]);
  });
});
