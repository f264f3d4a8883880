import type { OrderJobName } from './jobs';

/**
 * Order statuses. `new` to `valid` follow RFC 8555 section 7.1.6, with its `pending` split in two:
 * waiting for the customer's DNS (`awaiting_dns`) and for the CA's validation (`validating`).
 */
export const ORDER_STATUSES = [
  'new',
  'awaiting_dns',
  'validating',
  'ready',
  'processing',
  'valid',
  'invalid',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const LIVE_ORDER_STATUSES = ['new', 'awaiting_dns', 'validating', 'ready', 'processing'] as const;
export type LiveOrderStatus = (typeof LIVE_ORDER_STATUSES)[number];

const NEXT: Record<OrderStatus, readonly OrderStatus[]> = {
  new: ['awaiting_dns', 'ready', 'invalid'], // `ready` where the CA reuses authorizations
  awaiting_dns: ['validating', 'ready', 'invalid'],
  validating: ['ready', 'invalid'],
  ready: ['processing', 'invalid'],
  processing: ['valid', 'invalid'],
  valid: [],
  invalid: [],
};

/** The job that moves an order on from a status: what `reconcile` enqueues for an overdue row. */
const JOB_FOR: Record<LiveOrderStatus, OrderJobName> = {
  new: 'place-order',
  awaiting_dns: 'await-dns',
  validating: 'await-dns',
  ready: 'finalize-order',
  processing: 'finalize-order',
};

export const isLive = (status: OrderStatus): status is LiveOrderStatus => NEXT[status].length > 0;

export const jobFor = (status: LiveOrderStatus) => JOB_FOR[status];

/** Throws a TypeError: an illegal transition is a bug in a use-case, not a state of the world. */
export function assertTransition(from: OrderStatus, to: OrderStatus): void {
  if (!NEXT[from].includes(to)) throw new TypeError(`an order cannot go from ${from} to ${to}`);
}

/** How long an order may stay in a phase, in milliseconds. */
export interface OrderTimeouts {
  /** From the moment the TXT value is known until every name server must show it (`POLL_TIMEOUT`). */
  dnsMs: number;
  /** Every other phase: how long an outage of the CA may last before the order is given up (`ORDER_TIMEOUT`). */
  phaseMs: number;
}

/** The deadline of the phase that an order enters with `status`. */
export function phaseDeadline(status: LiveOrderStatus, now: Date, timeouts: OrderTimeouts): Date {
  return new Date(now.getTime() + (status === 'awaiting_dns' ? timeouts.dnsMs : timeouts.phaseMs));
}

/**
 * When an order is due again after its `failures`-th transient failure in a row, in milliseconds: 1, 2, 4, 8, then every
 * 10 minutes. The queue's own, much quicker retries come first; this is what `reconcile` goes by when they are used up.
 */
export function failureBackoffMs(failures: number): number {
  return Math.min(60_000 * 2 ** Math.max(0, failures - 1), 600_000);
}
