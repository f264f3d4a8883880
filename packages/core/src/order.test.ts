import { assertTransition, failureBackoffMs, isLive, jobFor, ORDER_STATUSES, type OrderStatus, phaseDeadline } from './order';

const LEGAL: [OrderStatus, OrderStatus][] = [
  ['new', 'awaiting_dns'],
  ['new', 'ready'],
  ['new', 'invalid'],
  ['awaiting_dns', 'validating'],
  ['awaiting_dns', 'ready'],
  ['awaiting_dns', 'invalid'],
  ['validating', 'ready'],
  ['validating', 'invalid'],
  ['ready', 'processing'],
  ['ready', 'invalid'],
  ['processing', 'valid'],
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

  it('is due again later after each failure, but within 10 minutes', () => {
    expect([1, 2, 3, 4, 5, 50].map(failureBackoffMs)).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });
});
