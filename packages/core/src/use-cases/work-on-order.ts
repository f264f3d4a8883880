import { crashPoint } from '../crash-point';
import type { OrderJob, OrderJobName } from '../jobs';
import {
  GONE_CONFIRMATIONS,
  GONE_IN_PROCESSING_MS,
  isLive,
  jobFor,
  type LiveOrderStatus,
  MAX_CRASHES,
  MAX_GENERATIONS,
  type OrderTimeouts,
  retryDelayMs,
  setApartMs,
} from '../order';
import type { IssuedCertificate, Order, OrderReason } from '../model';
import type { JobQueue, Lease, OrderChange, OrderStore, RenewalPlan } from '../ports';
import { type Problem, type ProblemCode, terminal, toProblem, waitFor } from '../problem';
import { cappedByNeed } from '../renewal';
import type { Telemetry } from '../telemetry';

/** Waits that are not the customer's doing: their deadline moves along. */
const IMPOSED: readonly ProblemCode[] = ['acme_rate_limited', 'acme_budget_spent', 'acme_account_refused', 'worker_crashed'];

const GONE: readonly ProblemCode[] = ['acme_order_gone', 'acme_account_unknown'];

export interface OrderWork {
  orders: OrderStore;
  jobs: JobQueue;
  telemetry: Telemetry;
  timeouts: OrderTimeouts;
  /** How long an order is its worker's; a killed worker's order is free again after this. */
  leaseMs: number;
}

/**
 * Runs one phase of an order under a lease. `step` moves the order on to another job's phase, or throws a Problem: `terminal`
 * fails the order, `wait` and `transient` set when it is due again and why, unless the phase's deadline has passed, `reorder`
 * sends it back to be placed anew. The deadline is looked at after the step, so that an order that overslept gets one
 * honest last try.
 * @throws Problem, for the queue to express: come back later, retry, or record a failure.
 */
export async function workOnOrder(
  deps: OrderWork,
  job: OrderJob,
  name: OrderJobName,
  step: (lease: Lease) => Promise<void>,
): Promise<void> {
  const claim = await deps.orders.claim(job.tenantId, job.orderId, deps.leaseMs);
  if (claim.kind === 'over') return;
  if (claim.kind === 'busy') {
    throw waitFor('lease_busy', 'Another worker is at this order.', claim.retryAfterMs);
  }
  const { lease } = claim;
  if (isLive(lease.order.status) && jobFor(lease.order.status) === name) {
    try {
      if (lease.tookOver) suspectIt(lease.order);
      crashPoint('after-claim', job.orderId);
      await step(lease);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'lease_lost') {
        // Whoever took the lease over goes on with the order; nothing of ours was written.
        deps.telemetry.leaseLost();
        return;
      }
      deps.telemetry.problem(problem.code, problem.acme?.type ?? null);
      const outcome = lease.isHeld ? await settle(deps, lease, problem) : problem;
      if (outcome) throw outcome;
    }
  }
  if (!isLive(lease.order.status)) return;
  if (lease.isHeld) await deps.orders.handBack(lease);
  crashPoint('before-next-job-added', job.orderId);
  const delayMs = Math.max(0, (lease.order.dueAt?.getTime() ?? 0) - lease.now().getTime());
  await deps.jobs.enqueue(jobFor(lease.order.status), job, { delayMs });
}

/** Guarded transition, timed. @throws Problem `lease_lost` */
export async function moveOn(deps: OrderWork, lease: Lease, to: LiveOrderStatus, change: OrderChange): Promise<void> {
  const before = lease.order;
  await deps.orders.advance(lease, to, change);
  phaseEnded(deps, lease, before);
}

/** The order's happy end. @throws Problem `lease_lost` */
export async function succeed(
  deps: OrderWork,
  lease: Lease,
  certificate: IssuedCertificate,
  privateKeyPem: string,
  renewal: RenewalPlan,
): Promise<void> {
  const before = lease.order;
  await deps.orders.complete(lease, certificate, privateKeyPem, renewal);
  phaseEnded(deps, lease, before);
  deps.telemetry.orderEnded('valid', null, null);
}

const died = (crashes: number): string => `The worker died ${crashes} times in a row while it was at this order.`;
const apartDetail = (crashes: number): string => `${died(crashes)} It is set apart for a while.`;

/**
 * One whose worker dies before it is set apart has not been alone: it is given that time before it is taken for the cause.
 * @throws Problem `worker_crashed`: terminal after MAX_CRASHES in a row, wait before
 */
export function suspectIt({ crashes, reason }: Pick<Order, 'crashes' | 'reason'>): void {
  const apartMs = setApartMs(Math.min(crashes, MAX_CRASHES - 1));
  if (apartMs === 0) return;
  const wasApart = reason?.detail === apartDetail(crashes - 1);
  if (crashes >= MAX_CRASHES && wasApart) throw terminal('worker_crashed', `${died(crashes)} It is taken for the cause.`);
  throw waitFor('worker_crashed', apartDetail(crashes), apartMs, { untilMs: apartMs });
}

/** Writes down what a problem means for the order. Returns the problem for the queue to express; null: the order goes on. */
async function settle(deps: OrderWork, lease: Lease, problem: Problem): Promise<Problem | null> {
  const { order } = lease;
  const now = lease.now();
  if (problem.disposition === 'terminal') return fail(deps, lease, problem);
  const imposed = IMPOSED.includes(problem.code);
  if (!imposed && order.deadlineAt && order.deadlineAt <= now) {
    return fail(deps, lease, deadlinePassed(order.deadlineAt, problem));
  }
  const gone = goneSo(problem, order, now);
  if (problem.disposition === 'reorder' || (gone?.isSure && order.status !== 'new')) {
    if (order.generation >= MAX_GENERATIONS) return fail(deps, lease, problem);
    const dueAt = new Date(now.getTime() + cappedByNeed(problem.retryAfterMs ?? 0, order.neededBy, now));
    const deadlineAt = new Date(dueAt.getTime() + deps.timeouts.phaseMs);
    await deps.orders.restart(lease, { dueAt, deadlineAt, reason: reasonOf(problem, now) });
    phaseEnded(deps, lease, order);
    return null;
  }
  const failed = problem.disposition === 'transient';
  const delayMs = failed ? cappedByNeed(retryDelayMs(order.failures + 1), order.neededBy, now) : (problem.retryAfterMs ?? 0);
  // From now, where the deadline has passed meanwhile: nothing that is asked of us is due at once.
  const deadlineAt = order.deadlineAt && imposed ? new Date(Math.max(order.deadlineAt.getTime(), now.getTime()) + delayMs) : order.deadlineAt;
  const dueAt = new Date(Math.min(now.getTime() + delayMs, deadlineAt?.getTime() ?? Infinity));
  await deps.orders.release(lease, {
    dueAt,
    reason: { ...reasonOf(problem, now), ...gone?.kept },
    failed,
    ...(imposed && deadlineAt && { deadlineAt }),
  });
  return failed ? problem : withDelay(problem, dueAt.getTime() - now.getTime());
}

/** How often in a row, and since when, the CA has said that it doesn't know the order: any other answer in between starts anew. */
function goneSo({ code }: Problem, { status, reason }: Order, now: Date): { isSure: boolean; kept: { times: number; since: string } } | null {
  if (!GONE.includes(code)) return null;
  const before = reason !== null && GONE.includes(reason.code) ? reason : null;
  const kept = { times: (before?.times ?? 0) + 1, since: before?.since ?? now.toISOString() };
  const forMs = now.getTime() - Date.parse(kept.since);
  return { isSure: kept.times >= GONE_CONFIRMATIONS && (status !== 'processing' || forMs >= GONE_IN_PROCESSING_MS), kept };
}

async function fail(deps: OrderWork, lease: Lease, problem: Problem): Promise<Problem> {
  const before = lease.order;
  await deps.orders.fail(lease, reasonOf(problem, lease.now()));
  phaseEnded(deps, lease, before);
  deps.telemetry.orderEnded('invalid', problem.code, problem.acme?.type ?? null);
  return problem.disposition === 'terminal'
    ? problem
    : terminal(problem.code, problem.message, { cause: problem, ...(problem.acme && { acme: problem.acme }) });
}

function phaseEnded(deps: OrderWork, lease: Lease, { status, statusSince }: Order): void {
  if (isLive(status)) deps.telemetry.phaseEnded(status, lease.now().getTime() - statusSince.getTime());
}

export const reasonOf = (problem: Problem, now: Date): OrderReason => ({
  code: problem.code,
  detail: problem.message,
  ...(problem.acme && { acme: problem.acme }),
  ...(problem.advice && { advice: problem.advice }),
  ...(problem.budget && { budget: problem.budget }),
  ...untilOf(problem, now),
});

function untilOf(problem: Problem, now: Date): { until?: string } {
  const ms = problem.untilMs ?? (problem.pause ? problem.retryAfterMs : undefined);
  return ms === undefined ? {} : { until: new Date(now.getTime() + ms).toISOString() };
}

function deadlinePassed(deadline: Date, last: Problem): Problem {
  const code = last.code === 'dns_not_ready' ? 'dns_deadline_passed' : 'order_deadline_passed';
  const detail = `Given up at the deadline, ${deadline.toISOString()}. Last seen: ${last.message}`;
  return terminal(code, detail, { cause: last, ...(last.acme && { acme: last.acme }), ...(last.advice && { advice: last.advice }) });
}

const withDelay = (problem: Problem, delayMs: number): Problem =>
  waitFor(problem.code, problem.message, delayMs, { cause: problem.cause, ...(problem.acme && { acme: problem.acme }) });
