import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '@certwright/testing';

describe('with the queue in Redis, two workers and 50 domains at once', () => {
  let stack: Stack;
  const names = Array.from({ length: 50 }, (_none, index) => `shop${index}.customer.test`);

  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', workers: 2 });
  }, 60_000);
  afterAll(() => stack.stop());

  it('every one gets its certificate, though Redis is emptied in the middle', async () => {
    const domains = await Promise.all(names.map((name) => stack.verifiedDomain(name)));
    const issued = await Promise.all(domains.map(({ id }) => stack.api.issue(id)));
    expect(issued.map(({ status }) => status)).toEqual(names.map(() => 202));
    const isPlaced = async (): Promise<boolean> => (await stack.query("SELECT 1 FROM orders WHERE status = 'new'")).length === 0;
    for (const giveUpAt = performance.now() + 20_000; !(await isPlaced()) && performance.now() < giveUpAt; ) await sleep(100);
    // All wait for DNS now: their jobs are in Redis, delayed. All of them are lost here.
    await stack.redis?.flushAll();
    const orders = await Promise.all(issued.map(({ body }) => stack.api.order(body.order_id)));
    for (const { body } of orders) {
      for (const { txt_name, txt_value } of body.authorizations) stack.dns.setTxt(txt_name, [txt_value]);
    }
    const ended = await Promise.all(domains.map(({ id }) => stack.api.settled(id, 90_000)));
    expect(ended.map(({ status }) => status)).toEqual(names.map(() => 'active'));
    const certificates = await Promise.all(domains.map(({ id }) => stack.api.certificate(id)));
    expect(new Set(certificates.map(({ body }) => body.serial)).size).toBe(names.length);
  }, 180_000);

  it('one account is registered, although two workers started on an empty database', async () => {
    const accounts = await stack.query<{ account_url: string }>('SELECT account_url FROM accounts');
    expect(accounts).toHaveLength(1);
    expect(accounts[0]?.account_url).toMatch(/^https:/);
  });
});

describe('a worker killed when the CA has issued, and before it knows', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', proxy: true });
  }, 60_000);
  afterAll(() => stack.stop());

  it('is survived by its certificate: the one that the CA issued is the one stored', async () => {
    const { id } = await stack.verifiedDomain('killed.customer.test');
    stack.proxy.fault('finalize', { meanwhile: async () => stack.workers[0]?.kill(), reset: 'after' });
    const orderId = await stack.order(id);
    await stack.workers[0]?.exited;
    expect((await stack.api.order(orderId)).body.status).toBe('processing');

    await stack.startWorker();
    expect((await stack.api.settled(id, 90_000)).status).toBe('active');
    expect(stack.proxy.injected).toBe(1);
    expect(stack.proxy.count('finalize')).toBe(1);
    const downloaded = stack.proxy.seen.filter(({ endpoint }) => endpoint === 'certificate');
    expect(new Set(downloaded.map(({ path }) => path)).size).toBe(1);

    const leaf = new X509Certificate(await stack.api.chain(id));
    expect(leaf.checkPrivateKey(createPrivateKey(await stack.api.privateKey(id)))).toBe(true);
  }, 120_000);
});

describe('all workers stopped and the queue store emptied', () => {
  it.each(['redis', 'postgres'] as const)('leaves nothing undone once a worker starts again (%s)', async (queue) => {
    const stack = await startStack({ queue });
    try {
      const { id } = await stack.verifiedDomain('stopped.customer.test');
      const { body } = await stack.api.issue(id);
      expect(await stack.workers[0]?.stop()).toBe(0);
      if (stack.redis) await stack.redis.flushAll();
      else await stack.query('TRUNCATE bullmq.job CASCADE');
      stack.dns.setTxt(body.challenge_domain, [body.expected_txt_value ?? '']);
      await stack.startWorker();
      expect((await stack.api.settled(id, 60_000)).status).toBe('active');
    } finally {
      await stack.stop();
    }
  }, 120_000);
});
