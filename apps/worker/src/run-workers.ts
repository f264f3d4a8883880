import { type JobName, terminal, toProblem } from '@certwright/core';
import { catalog, JOB_NAMES, type QueueBackend } from '@certwright/jobs';
import type { Logger, Metrics } from '@certwright/runtime';
import type { Job, Worker } from 'bullmq';
import type { Processors } from './processors';
import { expressProblem } from './retry';

/** How many jobs of a kind one process runs at a time. However many: the CA sees 16 connections of a process at most. */
const concurrencyOf = (name: JobName, workerConcurrency: number): number =>
  ({
    'place-order': Math.min(16, workerConcurrency),
    'await-dns': workerConcurrency,
    'finalize-order': workerConcurrency,
    'watch-delegation': Math.min(16, workerConcurrency),
    'renew-due': 1,
    reconcile: 1,
  })[name];

/**
 * How often jobs of killed processes are looked for. A look may find that another one has only just been made and leave it at that, and a job is
 * taken over at the second look that sees it: within its lock and four times this, 38 s by default.
 */
const STALLED_INTERVAL_MS = 2_000;

/** BullMQ counts over a job's whole life; the order's deadline is the bound that matters. */
const MAX_STALLED_COUNT = 1_000;

export interface RunningWorkers {
  /** Resolves when every worker has reached the queue store. */
  ready(): Promise<void>;
  /** Fetches no more jobs and waits for the running ones. */
  close(): Promise<void>;
}

export function runWorkers({
  backend,
  processors,
  logger,
  metrics,
  workerConcurrency,
  lockMs,
}: {
  backend: QueueBackend;
  processors: Processors;
  logger: Logger;
  metrics: Pick<Metrics, 'jobEnded'>;
  workerConcurrency: number;
  /** How long a job is its worker's without a sign of life. */
  lockMs: number;
}): RunningWorkers {
  const workers: Worker[] = JOB_NAMES.map((name) => {
    const worker = backend.worker(name, (job, token) => runJob({ name, job, token, processors, logger, metrics }), {
      concurrency: concurrencyOf(name, workerConcurrency),
      lockDuration: lockMs,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
    });
    worker.on('error', (error) => logger.warn('the queue store is not reachable', { queue: name, error }));
    worker.on('stalled', (jobId) => logger.warn('a job was taken over from a worker that is gone', { queue: name, jobId }));
    return worker;
  });
  return {
    async ready() {
      await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

interface Run {
  name: JobName;
  job: Job;
  token: string | undefined;
  processors: Processors;
  logger: Logger;
  metrics: Pick<Metrics, 'jobEnded'>;
}

async function runJob({ name, job, token, processors, logger, metrics }: Run): Promise<unknown> {
  const { orderId, tenantId, requestId } = job.data as { orderId?: string; tenantId?: string; requestId?: string };
  const about = {
    job: name,
    jobId: job.id,
    ...(orderId && { orderId }),
    ...(tenantId && { tenantId }),
    ...(requestId && { requestId }),
  };
  const startedAt = performance.now();
  try {
    const result = await dispatch(name, job.data, processors);
    const ms = Math.round(performance.now() - startedAt);
    metrics.jobEnded(name, 'done', ms);
    logger.log(name === 'reconcile' || name === 'renew-due' ? 'debug' : 'info', 'job done', { ...about, result, ms });
    return result;
  } catch (error) {
    const { code, disposition, message, retryAfterMs } = toProblem(error);
    metrics.jobEnded(name, disposition === 'reorder' ? 'terminal' : disposition, performance.now() - startedAt);
    const level = disposition === 'wait' ? 'debug' : 'warn';
    logger.log(level, `job ended in ${code}`, { ...about, disposition, reason: message, retryAfterMs, attempt: job.attemptsMade + 1, error });
    return expressProblem(error, job, token);
  }
}

async function dispatch<N extends JobName>(name: N, data: unknown, processors: Processors): Promise<unknown> {
  const result = catalog[name].schema.validate(data, { allowUnknown: true });
  if (result.error) throw terminal('validation_failed', `The job's payload is not one of ${name}.`, { cause: result.error });
  return processors[name](result.value);
}
