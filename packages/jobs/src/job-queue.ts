import { JOB_NAMES, catalog } from './catalog';
import { createBackend, type QueueStore } from './connection';
import { type JobName, type JobQueue, Problem } from '@certwright/core';
import type { Queue } from 'bullmq';

export interface QueueLogger {
  warn(message: string, fields?: Record<string, unknown>): void;
}

export interface QueueDepth {
  queue: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

export interface Producer extends JobQueue {
  /** For the dashboard and for schedulers. */
  readonly queues: Queue[];
  queue(name: JobName): Queue;
  /** How many jobs each queue has in each state. */
  depths(): Promise<QueueDepth[]>;
  /** @throws Problem `queue_unavailable` (transient) when the store doesn't answer in time. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** An add that takes longer has failed as far as the caller is concerned; it may still land, which deduplication absorbs. */
const ENQUEUE_TIMEOUT_MS = 1_500;

/** The JobQueue port over BullMQ. */
export function createJobQueue(store: QueueStore, logger: QueueLogger): Producer {
  const backend = createBackend(store);
  const queues = new Map(JOB_NAMES.map((name) => [name, backend.queue(name)]));
  const reportOutage = onceAMinute((error: Error) => logger.warn('the queue store is not reachable', { error }));
  for (const queue of queues.values()) queue.on('error', reportOutage);

  const queue = (name: JobName): Queue => {
    const found = queues.get(name);
    if (!found) throw new TypeError(`there is no job ${name}`);
    return found;
  };

  return {
    queues: [...queues.values()],
    queue,

    async enqueue(name, payload, { delayMs, hurry } = {}) {
      const { options, deduplicationId } = catalog[name];
      try {
        await within(
          ENQUEUE_TIMEOUT_MS,
          queue(name).add(name, payload, {
            ...options,
            ...(delayMs && { delay: delayMs }),
            ...(deduplicationId && { deduplication: { id: deduplicationId(payload), ...(hurry && { replace: true }) } }),
          }),
        );
        return true;
      } catch (error) {
        logger.warn('a job could not be added; reconcile will add it', { job: name, ...payload, error });
        return false;
      }
    },

    async depths() {
      return Promise.all(
        [...queues.values()].map(async (one) => {
          const { waiting = 0, active = 0, delayed = 0, failed = 0 } = await within(
            ENQUEUE_TIMEOUT_MS,
            one.getJobCounts('waiting', 'active', 'delayed', 'failed'),
          );
          return { queue: one.name, waiting, active, delayed, failed };
        }),
      );
    },

    async ping() {
      try {
        await within(ENQUEUE_TIMEOUT_MS, queue('reconcile').getJobCounts('waiting'));
      } catch (cause) {
        throw new Problem('queue_unavailable', 'transient', 'The queue store cannot be reached right now.', { cause });
      }
    },

    async close() {
      await Promise.all([...queues.values()].map((one) => one.close()));
      await backend.close();
    },
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** A client that reconnects every other second would otherwise fill the log. */
function onceAMinute(report: (error: Error) => void): (error: Error) => void {
  let quietUntil = 0;
  return (error) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + 60_000;
    report(error);
  };
}
