import { createSilence, type Silence } from './silence';

const FULL = 2_000;
const ADDRESS = '192.0.2.1';

describe('a server that does not answer', () => {
  let now: number;
  let silence: Silence;
  beforeEach(() => {
    now = 0;
    silence = createSilence(() => now);
  });
  const misses = (times: number, waitedMs = FULL): void => {
    for (let at = 0; at < times; at += 1) silence.noted(ADDRESS, { answered: false, waitedMs });
  };
  const patience = (address = ADDRESS, budgetMs = FULL): number => silence.patienceMs(address, budgetMs);

  it('is waited for as long as ever until it has been silent three times in a row, then for half a second', () => {
    misses(2);
    expect(patience()).toBe(FULL);
    misses(1);
    expect(patience()).toBe(500);
    expect(patience(ADDRESS, 100)).toBe(100);
    expect(patience('192.0.2.2')).toBe(FULL);
  });

  it('is trusted again with its first answer, whatever short questions bring afterwards', () => {
    misses(10);
    silence.noted(ADDRESS, { answered: true, waitedMs: 500 });
    misses(5, 500);
    expect(patience()).toBe(FULL);
  });

  it('is no silent one where nobody had the time to wait for it', () => {
    misses(10, 1_999);
    expect(patience()).toBe(FULL);
  });

  it('is given its full time once a minute, by one of those who have it to give', () => {
    misses(3);
    now = 59_000;
    expect(patience()).toBe(500);
    now = 61_000;
    expect([patience(ADDRESS, 1_000), patience(), patience()]).toEqual([500, FULL, 500]);
    misses(1);
    now = 122_000;
    expect(patience()).toBe(FULL);
  });

  it('is forgotten where there are too many to remember', () => {
    misses(3);
    for (let at = 0; at < 10_000; at += 1) silence.noted(`host-${at}`, { answered: false, waitedMs: FULL });
    expect(patience()).toBe(FULL);
  });
});
