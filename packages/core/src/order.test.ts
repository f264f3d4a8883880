import { assertTransition, isLive, jobFor, ORDER_STATUSES, type OrderStatus, phaseDeadline, retryDelayMs, setApartMs } from './order';

const LEGAL: [OrderStatus, OrderStatus][] = [
  ['new', 'awaiting_dns'],
  ['new', 'ready'],
  ['new', 'invalid'],
  ['awaiting_dns', 'validating'],
  ['awaiting_dns', 'ready'],
  ['awaiting_dns', 'new'],
  ['awaiting_dns', 'invalid'],
  ['validating', 'ready'],
  ['validating', 'new'],
  ['validating', 'invalid'],
  ['ready', 'processing'],
  ['ready', 'new'],
  ['ready', 'invalid'],
  ['processing', 'valid'],
  ['processing', 'new'],
  ['processing', 'invalid'],
];

describe('an order', () => {
  it('moves along the legal transitions and no others', () => {
    const allowed = ORDER_STATUSES.flatMap((from) =>
      ORDER_STATUSES.filter((to) => {
        try {
          assertTransition(from, to);
          return true;
        } catch {
          return false;
        }
      }).map((to) => [from, to]),
    );
    expect(allowed.sort()).toEqual([...LEGAL].sort());
  });

  it('has a job for every status it can be stuck in', () => {
    expect(ORDER_STATUSES.filter(isLive).map((status) => [status, jobFor(status)])).toEqual([
      ['new', 'place-order'],
      ['awaiting_dns', 'await-dns'],
      ['validating', 'await-dns'],
      ['ready', 'finalize-order'],
      ['processing', 'finalize-order'],
    ]);
  });

  it('waits for DNS as long as POLL_TIMEOUT says, and for everything else as long as ORDER_TIMEOUT', () => {
    const now = new Date('2026-01-01T00:00:00Z');
    const timeouts = { dnsMs: 300_000, phaseMs: 86_400_000 };
    expect(phaseDeadline('awaiting_dns', now, timeouts)).toEqual(new Date('2026-01-01T00:05:00Z'));
    expect(phaseDeadline('processing', now, timeouts)).toEqual(new Date('2026-01-02T00:00:00Z'));
  });

  it('is due again 1, 10 and 100 minutes, then a day, after each round of the quick retries', () => {
    const minutes = (failures: number) => retryDelayMs(failures, 0.5) / 60_000;
    expect([7, 14, 21, 28, 35, 700].map(minutes)).toEqual([1, 10, 100, 1_440, 1_440, 1_440]);
    expect([1, 6, 8, 13, 15, 22, 29].map(minutes)).toEqual([1, 1, 1, 1, 1, 1, 1]); // during a round
  });

  it('is off by up to a fifth, so that an outage does not end in a stampede', () => {
    expect([retryDelayMs(7, 0), retryDelayMs(7, 1)]).toEqual([48_000, 72_000]);
  });
});

describe('an order that workers have died on', () => {
  it('goes on at once the first time, then is set apart: seconds, 1 min, 10 min, 100 min', () => {
    expect(setApartMs(1, 0.5)).toBe(0);
    expect([setApartMs(2, 0), setApartMs(2, 1)]).toEqual([0, 20_000]);
    expect([3, 4, 5].map((crashes) => setApartMs(crashes, 0.5))).toEqual([60_000, 600_000, 6_000_000]);
  });
});
