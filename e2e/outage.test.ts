import { type Stack, startStack } from '@certwright/testing';

describe('with Redis gone', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis' });
  }, 60_000);
  afterAll(() => stack.stop());

  it('the API still takes an order, within 2 s, and says that it is not ready', async () => {
    const { id } = await stack.verifiedDomain('outage.customer.test');
    process.kill(stack.redis?.pid ?? 0, 'SIGKILL');
    const startedAt = performance.now();
    const issued = await stack.api.issue(id);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(issued.status).toBe(202);
    expect(issued.body).toMatchObject({ expected_txt_value: null, challenge_domain: '_acme-challenge.outage.customer.test' });
    expect(issued.headers.get('location')).toBe(`/orders/${issued.body.order_id}`);
    const ready = await fetch(`${stack.apiProcess.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { ok: false, checks: { database: 'ok', queue: 'failing' } }]);
    const alive = await fetch(`${stack.apiProcess.url}/healthz`);
    expect([alive.status, await alive.json()]).toEqual([200, { status: 'ok' }]);
  }, 60_000);

  it('both processes are gone within 25 s of SIGTERM', async () => {
    const startedAt = performance.now();
    await Promise.all([stack.apiProcess.stop(), stack.workers[0]?.stop()]);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    for (const one of [stack.apiProcess, ...stack.workers]) expect(one.output()).toContain('"stopped"');
  }, 60_000);
});

describe('with PostgreSQL’s connections cut', () => {
  it('the API answers 503 with Retry-After or goes on, and orders go on', async () => {
    const stack = await startStack({ queue: 'redis' });
    try {
      const { id } = await stack.verifiedDomain('cut.customer.test');
      const { body } = await stack.api.issue(id);
      const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
      for (let times = 0; times < 5; times += 1) {
        await stack.query(cut);
        const reply = await stack.api.domain(id);
        expect([200, 503]).toContain(reply.status);
        if (reply.status === 503) expect(reply.headers.get('retry-after')).toMatch(/^\d+$/);
      }
      stack.dns.setTxt(body.challenge_domain, [body.expected_txt_value ?? '']);
      expect((await stack.api.settled(id, 60_000)).status).toBe('active');
    } finally {
      await stack.stop();
    }
  }, 90_000);
});
