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
  // back to `new` where the CA's order is lost or used up: the next generation
  awaiting_dns: ['validating', 'ready', 'new', 'invalid'],
  validating: ['ready', 'new', 'invalid'],
  ready: ['processing', 'new', 'invalid'],
  processing: ['valid', 'new', 'invalid'],
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

/** What the owner of a domain has at least to set a value for a renewal, in milliseconds. */
const OWNER_MS = 3 * 86_400_000;

/**
 * The deadline of the phase that an order enters with `status`. A renewal waits for DNS as long as there is something to be renewed, and
 * days where there is not: no caller waits for it, and the next order would want another value.
 */
export function phaseDeadline(status: LiveOrderStatus, now: Date, timeouts: OrderTimeouts, neededBy: Date | null = null): Date {
  const at = now.getTime() + (status === 'awaiting_dns' ? timeouts.dnsMs : timeouts.phaseMs);
  return new Date(status === 'awaiting_dns' ? Math.max(at, ...(neededBy ? [neededBy.getTime(), now.getTime() + OWNER_MS] : [])) : at);
}

/** The queue's own retries of a step that broke, some 1, 2, 4, 8, 16, 32 s apart. One more round follows by `retryDelayMs`. */
export const ATTEMPTS_PER_ROUND = 7;

const MINUTE_MS = 60_000;
const ROUND_DELAYS_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS, 1_440 * MINUTE_MS];

/**
 * When an order is due again after its `failures`-th transient failure in a row, in milliseconds: 1 min, 10 min, 100 min,
 * then 1 day after each round of the queue's quick retries; during a round, the minute after which its job is taken for
 * lost.
 */
export function retryDelayMs(failures: number, random: number = Math.random()): number {
  const isLastOfRound = failures % ATTEMPTS_PER_ROUND === 0;
  const round = failures / ATTEMPTS_PER_ROUND;
  const delay = isLastOfRound ? ROUND_DELAYS_MS[Math.min(round, ROUND_DELAYS_MS.length) - 1] : MINUTE_MS;
  return jittered(delay ?? MINUTE_MS, random);
}

/** How often an order may be placed at the CA: each further time wants another TXT value of the customer. */
export const MAX_GENERATIONS = 3;

/** How often in a row the CA must say that it has no such order or account: one node of it may lag behind. */
export const GONE_CONFIRMATIONS = 3;

/** For how long it must say so, in milliseconds, of an order that it may have issued a certificate for. */
export const GONE_IN_PROCESSING_MS = 600_000;

/** How often in a row workers may die on an order, in one phase, before it is taken for the cause. */
export const MAX_CRASHES = 6;

/**
 * How long an order is set apart after workers have died on it `crashes` times in a row, in milliseconds: 0 for once, up to
 * 20 s for twice, then 1 min, 10 min, 100 min. One of those that died together may be the cause: they come back one by one.
 * And what kills all workers, whatever they are at, may be mended before anybody is taken for the cause.
 */
export function setApartMs(crashes: number, random: number = Math.random()): number {
  if (crashes < 2) return 0;
  if (crashes === 2) return Math.round(random * 20_000);
  return jittered(ROUND_DELAYS_MS[crashes - 3] ?? MINUTE_MS, random);
}

/** Off by up to a fifth, so that all orders that an outage has stopped don't come back as one. */
const jittered = (ms: number, random: number): number => Math.round(ms * (0.8 + 0.4 * random));
