import { createPostgresBackend, createRedisBackend, type Job, type Queue, type Worker, type WorkerOptions, withBackend } from 'bullmq';
import { Pool } from 'pg';

/** Where BullMQ keeps its jobs: Redis or Valkey for many machines, else the PostgreSQL that is there anyway. */
export type QueueStore = { kind: 'redis'; url: string } | { kind: 'postgres'; url: string };

/** What our code does with a queue or a worker; both back ends have it. */
export type AnyQueue = Pick<
  Queue,
  'name' | 'add' | 'upsertJobScheduler' | 'waitUntilReady' | 'getJobCounts' | 'on' | 'close'
>;
export type AnyWorker = Pick<Worker, 'name' | 'on' | 'close' | 'waitUntilReady'>;
export type ProcessJob = (job: Job, token: string | undefined) => Promise<unknown>;

export interface QueueBackend {
  /** For adding jobs: fails within a second or so when the store is away, and works again when it is back. */
  queue(name: string): Queue;
  /** For running jobs: outlives any outage of the store. */
  worker(name: string, process: ProcessJob, options: Omit<WorkerOptions, 'connection'>): Worker;
  /** After all queues and workers are closed. */
  close(): Promise<void>;
}

const PRODUCER_TIMEOUT_MS = 1_000;

export const storeOf = (config: { redisUrl: string | null; databaseUrl: string }): QueueStore =>
  config.redisUrl ? { kind: 'redis', url: config.redisUrl } : { kind: 'postgres', url: config.databaseUrl };

export function createBackend(store: QueueStore): QueueBackend {
  return store.kind === 'redis' ? redisBackend(store.url) : postgresBackend(store.url);
}

function redisBackend(url: string): QueueBackend {
  const classes = withBackend(createRedisBackend);
  const retryStrategy = (times: number) => Math.min(times * 200, 2_000);
  return {
    queue: (name) =>
      new classes.Queue(name, {
        // No offline queue: an add while Redis is away must fail now, `reconcile` makes up for it.
        connection: {
          url,
          retryStrategy,
          enableOfflineQueue: false,
          maxRetriesPerRequest: 1,
          commandTimeout: PRODUCER_TIMEOUT_MS,
          connectTimeout: PRODUCER_TIMEOUT_MS,
        },
        skipWaitingForReady: true,
        skipVersionCheck: true,
      }),
    worker: (name, process, options) =>
      new classes.Worker(name, process, {
        ...options,
        connection: { url, retryStrategy, maxRetriesPerRequest: null },
      }),
    close: async () => undefined,
  };
}

/** One pool for adding, and one for running, so that a worker's LISTEN connections never starve an add. */
function postgresBackend(connectionString: string): QueueBackend {
  const classes = withBackend(createPostgresBackend);
  const pools: Pool[] = [];
  const pool = (max: number): Pool => {
    const made = new Pool({
      connectionString,
      max,
      keepAlive: true,
      connectionTimeoutMillis: PRODUCER_TIMEOUT_MS * 3,
      options: '-c search_path=bullmq -c TimeZone=UTC',
    });
    pools.push(made);
    return made;
  };
  let adding: Pool | undefined;
  let running: Pool | undefined;
  return {
    queue: (name) => new classes.Queue(name, { connection: (adding ??= pool(4)) as never }) as unknown as Queue,
    worker: (name, process, options) =>
      new classes.Worker(name, process, {
        ...options,
        connection: (running ??= pool(12)) as never,
      }) as unknown as Worker,
    close: async () => {
      await Promise.all(pools.map((one) => one.end()));
    },
  };
}
