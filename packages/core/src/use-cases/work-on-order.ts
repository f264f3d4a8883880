import type { OrderJob, OrderJobName } from '../jobs';
import { failureBackoffMs, isLive, jobFor } from '../order';
import type { OrderReason } from '../model';
import type { JobQueue, Lease, OrderStore } from '../ports';
import { type Problem, terminal, toProblem, waitFor } from '../problem';

/** Longer than one bounded CA request; every write renews it. A killed worker's order is free again after this. */
export const LEASE_MS = 30_000;

export interface OrderWork {
  orders: OrderStore;
  jobs: JobQueue;
}

/**
 * Runs one phase of an order under a lease. `step` moves the order on to another job's phase, or throws a Problem: `terminal` fails the order,
 * `wait` and `transient` set when it is due again and why, unless the phase's deadline has passed. The deadline is looked
 * at after the step, so that an order that overslept gets one honest last try.
 * @throws Problem, for the queue to express: come back later, retry, or record a failure.
 */
export async function workOnOrder(
  deps: OrderWork,
  job: OrderJob,
  name: OrderJobName,
  step: (lease: Lease) => Promise<void>,
): Promise<void> {
  const claim = await deps.orders.claim(job.tenantId, job.orderId, LEASE_MS);
  if (claim.kind === 'over') return;
  if (claim.kind === 'busy') {
    throw waitFor('lease_busy', 'Another worker is at this order.', claim.retryAfterMs);
  }
  const { lease } = claim;
  if (isLive(lease.order.status) && jobFor(lease.order.status) === name) {
    try {
      await step(lease);
    } catch (error) {
      const problem = toProblem(error);
      // Whoever took the lease over goes on with the order; nothing of ours was written.
      if (problem.code === 'lease_lost') return;
      throw await settle(deps, lease, problem);
    }
  }
  if (!isLive(lease.order.status)) return;
  await deps.orders.release(lease, { dueAt: lease.now(), reason: null, failed: false });
  await deps.jobs.enqueue(jobFor(lease.order.status), job);
}

/** Writes down what a problem means for the order, and returns the problem to throw. */
async function settle(deps: OrderWork, lease: Lease, problem: Problem): Promise<Problem> {
  const { order } = lease;
  const now = lease.now();
  if (problem.disposition === 'terminal') {
    await deps.orders.fail(lease, reasonOf(problem));
    return problem;
  }
  if (order.deadlineAt && order.deadlineAt <= now) {
    const passed = deadlinePassed(order.deadlineAt, problem);
    await deps.orders.fail(lease, reasonOf(passed));
    return passed;
  }
  const failed = problem.disposition === 'transient';
  const delayMs = failed ? failureBackoffMs(order.failures + 1) : (problem.retryAfterMs ?? 0);
  const dueAt = new Date(Math.min(now.getTime() + delayMs, order.deadlineAt?.getTime() ?? Infinity));
  await deps.orders.release(lease, { dueAt, reason: reasonOf(problem), failed });
  return failed ? problem : withDelay(problem, dueAt.getTime() - now.getTime());
}

const reasonOf = (problem: Problem): OrderReason => ({
  code: problem.code,
  detail: problem.message,
  ...(problem.acme && { acme: problem.acme }),
});

function deadlinePassed(deadline: Date, last: Problem): Problem {
  const code = last.code === 'dns_not_ready' ? 'dns_deadline_passed' : 'order_deadline_passed';
  const detail = `Given up at the deadline, ${deadline.toISOString()}. Last seen: ${last.message}`;
  return terminal(code, detail, { cause: last, ...(last.acme && { acme: last.acme }) });
}

const withDelay = (problem: Problem, delayMs: number): Problem =>
  waitFor(problem.code, problem.message, delayMs, { cause: problem.cause, ...(problem.acme && { acme: problem.acme }) });
