import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Stack } from '@certwright/testing';
import { Redis } from 'ioredis';
import { faultTest, freshNames, issueAll, orderMany, scaled, until, untilAllValid, untilNone } from './scenario';

const p99 = (sorted: number[]): number => sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;

async function withRedis(stack: Stack, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(stack.redis?.url ?? '');
  try {
    await work(client);
  } finally {
    client.disconnect();
  }
}

describe('the queue store', () => {
  faultTest(5, 'FLUSHALL at 25 %', async ({ stack: start, injected }) => {
    const stack = await start({ workers: 2 });
    const count = scaled(20, 200);
    await orderMany(stack, count);
    await until(async () => (await stack.query("SELECT 1 FROM orders WHERE status = 'valid'")).length >= count / 4);
    await stack.redis?.flushAll();
    injected();
    await untilAllValid(stack);
  });

  faultTest(6, 'Redis killed, with an append-only file', async ({ stack: start, injected }) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'certwright-aof-'));
    const stack = await start({ workers: 2, redis: { dir, appendonly: true } });
    await orderMany(stack, scaled(10, 100));
    await stack.redis?.kill();
    injected();
    await sleep(2_000);
    await stack.startRedis();
    await untilAllValid(stack);
    rmSync(dir, { recursive: true, force: true });
  });

  faultTest(7, 'Redis killed, without persistence', async ({ stack: start, injected }) => {
    const stack = await start({ workers: 2 });
    await orderMany(stack, scaled(10, 100));
    await stack.redis?.kill();
    injected();
    await sleep(2_000);
    await stack.startRedis();
    await untilAllValid(stack);
  });

  faultTest(8, 'Redis down when the API starts', async ({ stack: start, injected }) => {
    const stack = await start();
    const ids = await stack.seedDomains(freshNames(10));
    await stack.redis?.kill();
    injected();
    const known = stack.processes().length;
    const starting = stack.startApi(); // ready once Redis is back
    await until(async () => {
      const api = stack.processes()[known];
      return api && (await fetch(`${api.url}/healthz`).catch(() => null))?.ok;
    });
    const url = stack.processes()[known]?.url ?? '';
    const headers = { authorization: `Bearer ${stack.secrets.authToken}` };
    for (const id of ids) {
      const startedAt = performance.now();
      const { status } = await fetch(`${url}/domains/${id}/issue-certificate`, { method: 'POST', headers });
      expect(status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
    await stack.startRedis();
    await starting;
    await untilAllValid(stack);
  });

  faultTest(9, 'Redis stopped (SIGSTOP)', async ({ stack: start, injected }) => {
    const stack = await start();
    const ids = await stack.seedDomains(freshNames(scaled(30, 200)));
    const pid = stack.redis?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    injected();
    const stoppedAt = performance.now();
    try {
      expect(p99(await issueAll(stack, ids))).toBeLessThan(2_000);
      await sleep(Math.max(0, scaled(5_000, 20_000) - (performance.now() - stoppedAt)));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await untilAllValid(stack);
  });

  faultTest(10, 'Redis out of memory', async ({ stack: start, injected }) => {
    const stack = await start();
    await withRedis(stack, (client) => client.config('SET', 'maxmemory', '1mb'));
    injected();
    await orderMany(stack, scaled(10, 100));
    await sleep(3_000);
    await withRedis(stack, (client) => client.config('SET', 'maxmemory', '0'));
    await untilAllValid(stack);
  });

  faultTest(32, 'SIGTERM with Redis down', async ({ stack: start, injected }) => {
    const stack = await start();
    await orderMany(stack, 3);
    await stack.redis?.kill();
    injected();
    const startedAt = performance.now();
    await Promise.all([stack.workers[0]?.stop(), stack.apiProcess.stop()]);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    await stack.startRedis();
    await stack.startWorker();
    await untilAllValid(stack);
  });

  faultTest(36, 'reconcile on two nodes', async ({ stack: start, customer, injected }) => {
    const stack = await start({ workers: 2, proxy: true, customer: false });
    const count = scaled(20, 200);
    await orderMany(stack, count);
    await untilNone(stack, "SELECT id FROM orders WHERE status = 'new'", 60_000);
    for (let round = 0; round < 3; round += 1) {
      await stack.redis?.flushAll();
      injected();
      await sleep(6_000); // reconcile runs every 5 s, on whichever node
    }
    customer(stack);
    await untilAllValid(stack);
    expect(stack.proxy.count('new-order')).toBe(count);
    expect(stack.proxy.count('finalize')).toBe(count);
  });
});

describe('PostgreSQL', () => {
  faultTest(11, 'restarted at once, in the middle of finalize', async ({ stack: start, injected }) => {
    const stack = await start({ proxy: true, ownPostgres: true });
    stack.proxy.fault('finalize', {
      meanwhile: async () => {
        process.kill(stack.postgres?.pid ?? 0, 'SIGQUIT');
        await stack.postgres?.exited;
        await stack.startPostgres();
      },
    });
    await orderMany(stack, scaled(3, 10));
    await until(() => stack.proxy.injected === 1);
    injected();
    await untilAllValid(stack);
    expect(stack.proxy.count('finalize')).toBe(scaled(3, 10));
  });

  faultTest(12, 'down for a while', async ({ stack: start, injected }) => {
    const stack = await start({ ownPostgres: true });
    const ids = await orderMany(stack, scaled(5, 20));
    await stack.postgres?.stop();
    injected();
    const { status, headers, body } = await stack.api.domain(ids[0] ?? '');
    expect([status, headers.get('retry-after'), (body as unknown as { code: string }).code]).toEqual([503, '5', 'database_unavailable']);
    await sleep(scaled(4_000, 30_000));
    await stack.startPostgres();
    await untilAllValid(stack);
  });

  faultTest(13, 'a pool of one connection, 100 requests', async ({ stack: start }) => {
    const stack = await start({ env: { DATABASE_POOL: '1' } });
    const ids = await stack.seedDomains(freshNames(100));
    const replies = await Promise.all(ids.map((id) => stack.api.domain(id)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    await issueAll(stack, ids.slice(0, scaled(10, 50)));
    await untilAllValid(stack);
  });

  faultTest(
    14,
    'storing the certificate fails once',
    async ({ stack: start, injected }) => {
      const stack = await start({ proxy: true });
      await stack.query('CREATE SEQUENCE tries');
      await stack.query(`CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF nextval('tries') = 1 THEN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$`);
      await stack.query('CREATE TRIGGER fail_once BEFORE INSERT ON certificates FOR EACH ROW EXECUTE FUNCTION fail_once()');
      injected();
      await orderMany(stack, 1);
      await untilAllValid(stack);
      expect(stack.proxy.count('finalize')).toBe(1);
    },
    { postgresToo: true },
  );
});
