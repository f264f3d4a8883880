import { toProblem } from '@certwright/core';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';

/** Nobody could read it in less; what an order waits for DNS by is longer. */
const WORTH_SAYING_MS = 800;

/**
 * The only place that knows how BullMQ expresses what a Problem asks for:
 * `wait` delays the job and spends no attempt, `transient` leaves it to the job's attempts and backoff, `terminal` ends
 * it. The reason is what an operator reads on the dashboard: as progress of a delayed job, or as a failed job's reason.
 */
export async function expressProblem(error: unknown, job: Job, token: string | undefined): Promise<never> {
  const problem = toProblem(error);
  const reason = `${problem.code}: ${problem.message}`;
  const delayMs = problem.retryAfterMs ?? 0;
  switch (problem.disposition) {
    case 'wait':
      if (delayMs >= WORTH_SAYING_MS && !isSaid(job.progress, reason)) await job.updateProgress({ waiting: reason });
      // DelayedError alone would strand the job: it must have been moved first.
      await job.moveToDelayed(Date.now() + delayMs, token);
      throw new DelayedError(reason);
    case 'terminal':
    case 'reorder': // settled before it gets here
      throw new UnrecoverableError(reason);
    case 'transient':
      throw new Error(reason, { cause: problem.cause ?? problem });
  }
}

const isSaid = (progress: unknown, reason: string): boolean =>
  typeof progress === 'object' && progress !== null && 'waiting' in progress && progress.waiting === reason;
