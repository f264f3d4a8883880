import { createSilence } from './silence';

describe('a server that does not answer', () => {
  let now = 0;
  beforeEach(() => void (now = 0));
  const misses = (silence: ReturnType<typeof createSilence>, times: number): void => {
    for (let at = 0; at < times; at += 1) silence.noted('192.0.2.1', false);
  };

  it('is waited for as long as ever until it has been silent three times in a row, then for half a second', () => {
    const silence = createSilence(() => now);
    misses(silence, 2);
    expect(silence.patienceMs('192.0.2.1')).toBe(Infinity);
    misses(silence, 1);
    expect(silence.patienceMs('192.0.2.1')).toBe(500);
    expect(silence.patienceMs('192.0.2.2')).toBe(Infinity);
  });

  it('is trusted again with its first answer', () => {
    const silence = createSilence(() => now);
    misses(silence, 10);
    silence.noted('192.0.2.1', true);
    misses(silence, 2);
    expect(silence.patienceMs('192.0.2.1')).toBe(Infinity);
  });

  it('is given its full time once a minute, by one of those who ask', () => {
    const silence = createSilence(() => now);
    misses(silence, 3);
    now = 59_000;
    misses(silence, 1);
    expect(silence.patienceMs('192.0.2.1')).toBe(500);
    now = 61_000;
    expect([1, 2, 3].map(() => silence.patienceMs('192.0.2.1'))).toEqual([Infinity, 500, 500]);
    now = 122_000;
    expect(silence.patienceMs('192.0.2.1')).toBe(Infinity);
  });

  it('is forgotten where there are too many to remember', () => {
    const silence = createSilence(() => now);
    misses(silence, 3);
    for (let at = 0; at < 10_000; at += 1) silence.noted(`host-${at}`, false);
    expect(silence.patienceMs('192.0.2.1')).toBe(Infinity);
  });
});
