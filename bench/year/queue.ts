import { type JobName, type JobPayloads, type JobQueue, toProblem } from '@certwright/core';
import { catalog } from '@certwright/jobs';
import { inLanes } from '../lanes';

/** Jobs of the same few seconds go as one, and those that come back of the same minute, in milliseconds. */
const GRAIN_MS = 10_000;
const AGAIN_GRAIN_MS = 60_000;
const AT_ONCE = 32;

interface Job {
  key: string;
  name: JobName;
  run: () => Promise<unknown>;
  at: number;
  attempts: number;
  isActive: boolean;
}

type Handlers = { [N in JobName]: (payload: JobPayloads[N]) => Promise<unknown> };

export interface SimulatedQueue extends JobQueue {
  /** When the next job is due; Infinity: there is none. */
  nextAt(): number;
  /** Runs all jobs that are due by now. Returns how many of them have ended. */
  runDue(): Promise<number>;
  /** Orders whose job has used up its attempts: `reconcile` adds another. */
  lost: Set<string>;
  /** How jobs ended, and what each kind took of the real time, in milliseconds. */
  ended: Record<string, number>;
  tookMs: Record<string, number>;
  errors: string[];
}

/**
 * The queue as BullMQ with our catalog is one: a job id per order and kind, which is free again when its job has ended; `wait` delays a job,
 * `transient` is tried again with the catalog's backoff, everything else ends it (apps/worker/src/retry.ts).
 */
export function createQueue({ now, handlers }: { now: () => number; handlers: () => Handlers }): SimulatedQueue {
  const jobs = new Map<string, Job>();
  const slots = new Map<number, Set<Job>>();
  const lost = new Set<string>();
  const ended: Record<string, number> = {};
  const tookMs: Record<string, number> = {};
  const errors: string[] = [];
  let over = 0;
  const count = (what: string): void => void (ended[what] = (ended[what] ?? 0) + 1);

  function putAt(job: Job, at: number, grainMs = GRAIN_MS): void {
    job.at = Math.ceil(at / grainMs) * grainMs;
    job.isActive = false;
    slots.set(job.at, (slots.get(job.at) ?? new Set()).add(job));
  }
  function takeOut(job: Job): void {
    const slot = slots.get(job.at);
    slot?.delete(job);
    if (slot?.size === 0) slots.delete(job.at);
  }

  async function run(job: Job): Promise<void> {
    const startedAt = performance.now();
    const isOver = (how: string): void => {
      count(`${job.name} ${how}`);
      over += 1;
      jobs.delete(job.key);
    };
    try {
      await job.run();
      isOver('done');
    } catch (error) {
      const { code, disposition, retryAfterMs = 0, cause } = toProblem(error);
      if (code === 'internal_error') errors.push(`${job.name}: ${String(cause)}`);
      if (disposition === 'wait') {
        count(`${job.name} wait`);
        putAt(job, now() + retryAfterMs, retryAfterMs > AGAIN_GRAIN_MS ? AGAIN_GRAIN_MS : GRAIN_MS);
      } else if (disposition === 'transient' && job.attempts + 1 < (catalog[job.name].options.attempts ?? 1)) {
        count(`${job.name} transient`);
        job.attempts += 1;
        putAt(job, now() + 1_000 * 2 ** (job.attempts - 1) * (0.5 + 0.5 * Math.random()), AGAIN_GRAIN_MS);
      } else {
        if (disposition === 'transient') lost.add(job.key.slice(job.key.indexOf(' ') + 1));
        isOver(disposition === 'transient' ? 'given up' : 'failed');
      }
    } finally {
      tookMs[job.name] = (tookMs[job.name] ?? 0) + (performance.now() - startedAt);
    }
  }

  return {
    lost,
    ended,
    tookMs,
    errors,
    nextAt: () => [...slots.keys()].reduce((least, at) => Math.min(least, at), Infinity),

    async runDue() {
      const before = over;
      for (;;) {
        const due = [...slots.keys()].filter((at) => at <= now()).flatMap((at) => [...(slots.get(at) ?? [])]);
        if (due.length === 0) return over - before;
        for (const job of due) {
          takeOut(job);
          job.isActive = true;
        }
        await inLanes(due, AT_ONCE, run);
      }
    },

    async enqueue(name, payload, { delayMs = 0, hurry = false } = {}) {
      const id = catalog[name].deduplicationId?.(payload) ?? '';
      const key = `${name} ${id}`;
      lost.delete(id);
      const known = jobs.get(key);
      if (known) {
        if (hurry && !known.isActive) {
          takeOut(known);
          known.attempts = 0;
          putAt(known, now());
        }
        return true;
      }
      const job: Job = { key, name, run: () => handlers()[name](payload), at: 0, attempts: 0, isActive: false };
      jobs.set(key, job);
      putAt(job, now() + delayMs);
      return true;
    },
  };
}
