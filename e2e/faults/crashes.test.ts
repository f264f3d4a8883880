import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CRASH_POINTS, MAX_CRASHES } from '@certwright/core';
import { createJobQueue } from '@certwright/jobs';
import {
  faultTest,
  freshNames,
  isFull,
  issueAll,
  orderMany,
  orderOf,
  scaled,
  until,
  untilAllValid,
  untilNone,
  untilSettled,
  untilSettledInHours,
  worker,
} from './scenario';

const IN_WORKER = CRASH_POINTS.filter((point) => point !== 'after-order-created');

describe('processes that die', () => {
  faultTest(
    1,
    'a worker killed at each of 12 crash points',
    async ({ stack: start, injected }) => {
      const stack = await start({ workers: 0 });
      const one = { WORKER_CONCURRENCY: '1' }; // a death concerns few orders
      const points = Array.from({ length: scaled(1, 20) }, () => IN_WORKER).flat();
      // Several at a time: whoever dies last has to take over what the others left behind.
      const lane = async (): Promise<void> => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          const [doomed] = await Promise.all([stack.startWorker({ ...one, CRASH_AT: point }), orderMany(stack, 1)]);
          await until(async () => (await Promise.race([doomed.exited, sleep(10, 'alive')])) !== 'alive', 90_000);
          injected();
        }
      };
      await Promise.all(Array.from({ length: 4 }, lane));
      await stack.startWorker();
      await untilSettledInHours(stack); // some happen to have been hit three times
      await untilAllValid(stack);
    },
    { postgresToo: true },
  );

  faultTest(2, 'the API killed between commit and enqueue', async ({ stack: start, injected }) => {
    const stack = await start();
    const ids = await stack.seedDomains(freshNames(scaled(3, 50)));
    for (const id of ids) {
      const api = await stack.startApi({ CRASH_AT: 'after-order-created' });
      await expect(stack.api.issue(id)).rejects.toThrow();
      await api.exited;
      injected();
    }
    // A job within 10 s of the last kill: nobody else asks. It may take a moment itself.
    await untilNone(stack, "SELECT id FROM orders WHERE status = 'new'", 15_000);
    await stack.startApi();
    await untilAllValid(stack);
  });

  faultTest(
    3,
    '100 issue calls at once for one domain',
    async ({ stack: start, customer }) => {
      const stack = await start({ customer: false, env: { ISSUE_WAIT: '5s' } });
      const [id = ''] = await stack.seedDomains(freshNames(1));
      const replies = await Promise.all(Array.from({ length: 100 }, () => stack.api.issue(id)));
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
      expect(new Set(replies.map(({ body }) => body.order_id)).size).toBe(1);
      customer(stack);
      await untilAllValid(stack);
    },
    { postgresToo: true },
  );

  faultTest(
    4,
    'a pool of workers, one killed every 3 s, and a FLUSHALL in the middle',
    async ({ stack: start, replaceWorker }) => {
      const stack = await start({ workers: 3, ...(isFull && { env: { LEASE_TIME: '30s' } }) });
      let over = false;
      const killer = async (): Promise<void> => {
        while (!over) {
          await sleep(3_000);
          const victim = stack.workers.splice(Math.floor(Math.random() * stack.workers.length), 1)[0];
          if (victim && !over) await replaceWorker(stack, victim);
        }
      };
      const killing = killer();
      const count = scaled(30, 500);
      await orderMany(stack, count);
      await until(async () => (await stack.query("SELECT 1 FROM orders WHERE status = 'valid'")).length > count / 3, 900_000);
      if (stack.redis) await stack.redis.flushAll();
      await untilSettled(stack, 900_000);
      over = true;
      await killing;
      await untilAllValid(stack);
    },
    { postgresToo: true },
  );

  faultTest(
    39,
    'the orders of a killed worker move again within 40 s',
    async ({ stack: start, injected }) => {
      const stack = await start({ workers: 0, ...(isFull && { env: { LEASE_TIME: '30s' } }) }); // the default
      const doomed = await stack.startWorker({ CRASH_AT: 'after-key-stored' });
      await orderMany(stack, 5);
      await doomed.exited;
      const diedAt = new Date();
      injected();
      await stack.startWorker();
      await untilAllValid(stack);
      const [slowest] = await stack.query<{ ms: number }>(
        `SELECT max(extract(epoch FROM first - $1::timestamptz))::float8 * 1000 AS ms
           FROM (SELECT min(at) AS first FROM domain_events WHERE at > $1::timestamptz GROUP BY order_id) moved`,
        [diedAt],
      );
      expect(slowest?.ms).toBeLessThan(isFull ? 40_000 : 15_000);
    },
    { postgresToo: true },
  );

  faultTest(29, 'an event loop that stands still past the lock', async ({ stack: start, injected }) => {
    const stack = await start({ workers: 0, proxy: true });
    await stack.startWorker({ CRASH_AT: 'after-key-stored=12s' });
    await orderMany(stack, 1);
    await until(async () => (await stack.query("SELECT 1 FROM orders WHERE status = 'processing'")).length === 1);
    injected();
    await stack.startWorker();
    await untilAllValid(stack);
    await sleep(8_000); // the first one wakes up and finds that it has lost the order
    expect(stack.proxy.count('certificate')).toBe(1);
  });

  faultTest(
    30,
    'the same order enqueued twice',
    async ({ stack: start, injected }) => {
      const stack = await start({ workers: 2, proxy: true });
      const store = stack.redis ? { kind: 'redis' as const, url: stack.redis.url } : { kind: 'postgres' as const, url: stack.databaseUrl };
      const producer = createJobQueue(store, { warn: () => undefined });
      const ids = await orderMany(stack, scaled(5, 20));
      const rows = await stack.query<{ id: string; tenant_id: string }>('SELECT id, tenant_id FROM orders');
      for (const { id: orderId, tenant_id: tenantId } of rows) {
        for (const name of ['place-order', 'await-dns', 'finalize-order', 'await-dns', 'finalize-order'] as const) {
          await producer.queue(name).add(name, { tenantId, orderId });
          injected();
        }
      }
      await untilAllValid(stack);
      await producer.close();
      expect(stack.proxy.count('new-order')).toBe(ids.length);
      expect(stack.proxy.count('finalize')).toBe(ids.length);
    },
    { postgresToo: true },
  );

  faultTest(31, 'SIGTERM during finalize', async ({ stack: start, injected }) => {
    const stack = await start({ proxy: true });
    for (let round = 0; round < scaled(2, 20); round += 1) {
      stack.proxy.fault('finalize', { delayMs: 1_500 });
      const seen = stack.proxy.count('finalize');
      await orderMany(stack, 1);
      await until(() => stack.proxy.count('finalize') > seen);
      const startedAt = performance.now();
      expect(await worker(stack).stop()).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(25_000);
      injected();
      await stack.startWorker();
    }
    await untilAllValid(stack);
    expect(stack.proxy.count('finalize')).toBe(scaled(2, 20));
  });

  faultTest(33, 'workers whose clocks are 10 minutes fast and slow', async ({ stack: start, customer, injected }) => {
    const skewed = (ms: number): Record<string, string> => ({
      NODE_OPTIONS: `--require ${path.resolve(__dirname, 'clock-skew.cjs')}`,
      CLOCK_SKEW_MS: String(ms),
    });
    const stack = await start({ workers: 0, customer: false, env: { POLL_TIMEOUT: '6s' } });
    await Promise.all([stack.startWorker(skewed(600_000)), stack.startWorker(skewed(-600_000))]);
    injected(2);
    const late = await orderMany(stack, 4);
    await untilSettled(stack, 40_000);
    const given = await stack.query<{ told: Date; over: Date; reason: { code: string; detail: string } }>(
      `SELECT reason, status_since AS over, (SELECT at FROM domain_events e WHERE e.order_id = o.id AND e.status = 'awaiting_dns' ORDER BY e.id LIMIT 1) AS told FROM orders o`,
    );
    expect(given).toHaveLength(late.length);
    for (const { told, over, reason } of given) {
      expect(reason.code).toBe('dns_deadline_passed');
      const deadline = Date.parse(/deadline, (\S+)\. /.exec(reason.detail)?.[1] ?? '');
      expect(over.getTime()).toBeGreaterThanOrEqual(deadline); // never early, by one clock, and not much too late
      expect(over.getTime() - deadline).toBeLessThan(14_000);
      expect(Math.abs(deadline - told.getTime() - 6_000)).toBeLessThan(1_000); // the write may take as long on a busy machine
    }
    customer(stack);
    await issueAll(stack, late);
    await untilNone(stack, "SELECT id FROM domains WHERE status <> 'active'", 60_000);
  });

  faultTest(35, 'an order that kills every worker at it', async ({ stack: start, injected }) => {
    const stack = await start({ workers: 0 });
    const [poison = ''] = await orderMany(stack, 1);
    const { id } = await orderOf(stack, poison);
    let over = false;
    let deaths = 0;
    const supervisor = async (): Promise<void> => {
      while (!over && deaths < 20) {
        const one = await stack.startWorker({ CRASH_AT: `after-claim@${id}` });
        while (!over && (await Promise.race([one.exited, sleep(100, 'alive')])) === 'alive');
        if (over) return;
        deaths += 1;
        injected();
      }
    };
    const supervising = supervisor();
    const others = await orderMany(stack, scaled(5, 20));
    await untilSettledInHours(stack);
    over = true;
    await supervising;
    const story = await orderOf(stack, poison);
    expect(story).toMatchObject({ status: 'invalid', reason: { code: 'worker_crashed', actor: 'operator' } });
    expect(deaths).toBe(MAX_CRASHES);
    expect(await stack.query("SELECT 1 FROM orders WHERE status = 'valid'")).toHaveLength(others.length);
  });

  faultTest(0, 'control: with the key in memory only, the audit notices', async ({ stack: start, expectViolations, injected }) => {
    const forgetful = { NODE_OPTIONS: `--require ${path.resolve(__dirname, 'forgetful.cjs')}` };
    const stack = await start({ workers: 0 });
    const doomed = await stack.startWorker({ ...forgetful, CRASH_AT: 'after-finalize-sent' });
    await orderMany(stack, 1);
    await doomed.exited;
    injected();
    await stack.startWorker(forgetful);
    await untilSettled(stack);
    expectViolations(/^I2, I3: the CA's certificate for \S+ is not stored$/);
  });
});
