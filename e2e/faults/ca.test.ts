import { setTimeout as sleep } from 'node:timers/promises';
import { ENDPOINTS, type Endpoint } from '@certwright/testing';
import { faultTest, freshNames, issueAll, orderMany, orderOf, scaled, until, untilAllValid, untilNone, untilSettled } from './scenario';

/** Where an order can meet trouble. The directory is asked for once an hour, a nonce seldom. */
const IN_AN_ORDER: readonly Endpoint[] = ['new-order', 'order', 'authorization', 'challenge', 'finalize', 'certificate'];

describe('a CA that limits', () => {
  faultTest(15, 'newOrder 429 with Retry-After', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    stack.proxy.fault('new-order', { answer: { status: 429, retryAfter: '6', problem: 'rateLimited', detail: 'too many new orders' } });
    const [first = ''] = await orderMany(stack, 1);
    await until(() => stack.proxy.injected === 1);
    const refusedAt = stack.proxy.seen.at(-1)?.at ?? 0;
    await until(async () => (await orderOf(stack, first)).reason !== null);
    await orderMany(stack, scaled(5, 30));
    const story = await orderOf(stack, first);
    expect(story).toMatchObject({ status: 'new', reason: { code: 'acme_rate_limited', actor: 'nobody' } });
    expect(story.reason?.acme).toMatchObject({ detail: 'too many new orders' });
    expect(Date.parse(story.reason?.until ?? '')).toBeGreaterThan(Date.now());
    await untilAllValid(stack);
    const early = stack.proxy.seen.filter(({ at }) => at > refusedAt && at < refusedAt + 6_000);
    expect(early).toEqual([]);
  });

  faultTest(16, 'newOrder 429 without Retry-After', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    stack.proxy.fault('new-order', { answer: { status: 429, problem: 'rateLimited' } });
    const [id = ''] = await orderMany(stack, 1);
    await until(() => stack.proxy.injected === 1);
    await sleep(3_000);
    expect(stack.proxy.count('new-order')).toBe(1);
    const { next_check_at: next } = await orderOf(stack, id);
    expect(Date.parse(next ?? '') - Date.now()).toBeGreaterThan(50_000); // a minute is waited
    // A minute passes.
    await stack.query("UPDATE accounts SET orders_paused_until = now() - interval '1 s'");
    await stack.query("UPDATE orders SET due_at = now() - interval '1 min'");
    await untilAllValid(stack);
  });

  faultTest(34, 'many renewals due at once, on a small budget', async ({ stack: start, injected }) => {
    const budget = scaled(20, 300);
    const stack = await start({ proxy: true, env: { ACME_ORDERS_PER_3H: String(budget) } });
    await orderMany(stack, 1);
    await untilAllValid(stack);
    const count = scaled(100, 2_000);
    const ids = await stack.seedDomains(freshNames(count, 'renewal'));
    await stack.query(
      `INSERT INTO orders (id, tenant_id, domain_id, names, key_type, profile, renewal, due_at, deadline_at)
       SELECT gen_random_uuid(), tenant_id, id, names, 'ec-256', 'default', true, clock_timestamp(), clock_timestamp() + interval '3 days'
         FROM domains WHERE id = ANY($1)`,
      [ids],
    );
    await stack.query("UPDATE domains SET status = 'certificate_pending' WHERE id = ANY($1)", [ids]);
    injected(count);
    const inLine = "status = 'new' AND coalesce(reason->>'code', '') = 'acme_budget_spent'";
    const untilStill = (): Promise<void> =>
      untilNone(stack, `SELECT 1 FROM orders WHERE status NOT IN ('valid', 'invalid') AND NOT (${inLine})`, 400_000);
    await untilStill();
    expect(stack.proxy.count('new-order')).toBe(budget);
    const waiting = await stack.query<{ due: Date; until: string }>(`SELECT due_at AS due, reason->>'until' AS until FROM orders WHERE ${inLine}`);
    expect(waiting).toHaveLength(count + 1 - budget);
    expect(new Set(waiting.map(({ due }) => due.getTime())).size).toBeGreaterThan(waiting.length * 0.9);
    const last = Math.max(...waiting.map(({ until: text }) => Date.parse(text)));
    expect(last - Date.now()).toBeGreaterThan((Math.floor(waiting.length / budget) - 1) * 3 * 3_600_000);
    // A first certificate comes after all of them. Three hours pass.
    const [newcomer = ''] = await orderMany(stack, 1);
    await stack.query("UPDATE order_slots SET taken_at = taken_at - interval '3 hours 1 s'");
    await stack.query(`UPDATE orders SET due_at = now() - interval '1 min' WHERE ${inLine}`);
    await until(() => stack.proxy.count('new-order') === 2 * budget, 60_000);
    await untilStill();
    expect(stack.proxy.count('new-order')).toBe(2 * budget);
    expect((await orderOf(stack, newcomer)).reason).toMatchObject({ code: 'acme_budget_spent' });
  });
});

describe('a CA that breaks', () => {
  faultTest(17, '500 and 503 at each endpoint', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    for (const endpoint of ENDPOINTS) {
      stack.proxy.fault(endpoint, { times: scaled(1, 3), answer: { status: 500, problem: 'serverInternal' } });
      stack.proxy.fault(endpoint, { times: scaled(1, 2), answer: { status: 503 } });
    }
    await orderMany(stack, scaled(4, 20));
    await untilAllValid(stack, 300_000);
    for (const endpoint of IN_AN_ORDER) expect(stack.proxy.count(endpoint)).toBeGreaterThan(scaled(2, 5));
  });

  faultTest(18, 'no answer at each endpoint', async ({ stack: start }) => {
    const stack = await start({ proxy: true, env: { ACME_TIMEOUT: '2s' } });
    for (const endpoint of ENDPOINTS) stack.proxy.fault(endpoint, { times: scaled(1, 3), hang: true });
    await orderMany(stack, scaled(4, 20));
    await untilAllValid(stack, 300_000);
  });

  faultTest(19, 'HTML 502, truncated JSON and connections cut at each endpoint', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    for (const endpoint of ENDPOINTS) {
      stack.proxy.fault(endpoint, { answer: { status: 502 } });
      stack.proxy.fault(endpoint, { truncate: true });
      stack.proxy.fault(endpoint, { reset: 'before' });
    }
    await orderMany(stack, scaled(4, 20));
    await untilAllValid(stack, 300_000);
  });

  faultTest(20, 'every other nonce is refused', async ({ stack: start, injected }) => {
    const stack = await start({ proxy: true, caEnv: { PEBBLE_WFE_NONCEREJECT: '50' } });
    const count = scaled(10, 100);
    await orderMany(stack, count);
    await untilAllValid(stack, 300_000);
    injected(stack.proxy.seen.length - count * 7);
  });

  faultTest(21, '`processing` for long', async ({ stack: start }) => {
    const stack = await start({ proxy: true, env: { WORKER_CONCURRENCY: '1' } });
    let held: unknown = 'the first one to come';
    const processing = (body: Record<string, unknown>): Record<string, unknown> => {
      const names = JSON.stringify(body.identifiers);
      if (held === 'the first one to come') held = names;
      return held === names ? { ...body, status: 'processing', certificate: undefined } : body;
    };
    stack.proxy.fault('finalize', { rewrite: processing });
    stack.proxy.fault('order', { times: 1_000, rewrite: processing });
    const [slow = ''] = await orderMany(stack, 1);
    await until(() => stack.proxy.count('order') > 1);
    const others = await orderMany(stack, scaled(3, 8)); // one slot per kind of job: the slow one does not hold it
    await until(async () => (await stack.query("SELECT 1 FROM orders WHERE status = 'valid'")).length === others.length);
    expect(await orderOf(stack, slow)).toMatchObject({ status: 'processing', reason: { code: 'acme_pending' } });
    held = null;
    await untilAllValid(stack);
    expect(stack.proxy.count('finalize')).toBe(others.length + 1);
  });

  faultTest(
    22,
    'finalize accepted, the answer lost',
    async ({ stack: start }) => {
      const stack = await start({ proxy: true });
      const count = scaled(3, 20);
      stack.proxy.fault('finalize', { times: count, reset: 'after' });
      await orderMany(stack, count);
      await untilAllValid(stack);
      expect(stack.proxy.injected).toBe(count);
      expect(stack.proxy.count('finalize')).toBe(count);
    },
    { postgresToo: true },
  );
});

describe('a CA that says no, or forgets', () => {
  faultTest(23, 'the order expires while its record is awaited', async ({ stack: start, customer }) => {
    const stack = await start({ proxy: true, customer: false });
    const soon = (): string => new Date(Date.now() + 3_000).toISOString();
    stack.proxy.fault('new-order', { rewrite: (body) => ({ ...body, expires: soon() }) });
    const [id = ''] = await orderMany(stack, 1);
    await until(async () => (await orderOf(stack, id)).authorizations.length === 1);
    const { authorizations: before } = await orderOf(stack, id);
    await until(async () => (await orderOf(stack, id)).generation === 2);
    await until(async () => (await orderOf(stack, id)).status === 'awaiting_dns');
    const after = await orderOf(stack, id);
    expect(after.authorizations[0]?.txt_value).not.toBe(before[0]?.txt_value);
    expect(after.history).toContainEqual(expect.objectContaining({ status: 'new', code: 'acme_order_gone', generation: 2 }));
    customer(stack);
    await untilAllValid(stack);
  });

  faultTest(24, 'the challenge fails: the reason is the CA’s own', async ({ stack: start, injected }) => {
    const stack = await start({ customer: false, nameServers: ['127.0.0.1', '127.0.0.2'] });
    const [id = ''] = await orderMany(stack, 1);
    await until(async () => (await orderOf(stack, id)).authorizations.length === 1);
    const [{ txt_name: name = '', txt_value: value = '' } = {}] = (await orderOf(stack, id)).authorizations;
    // The one authoritative server that answers has the value; the resolver that the CA asks has an older one.
    stack.dns.misbehave('127.0.0.1', 'silent');
    stack.dns.setTxt(name, ['stale']);
    stack.dns.setTxt(name, [value], { on: '127.0.0.2' });
    injected();
    await untilSettled(stack);
    const story = await orderOf(stack, id);
    expect(story).toMatchObject({ status: 'invalid', reason: { code: 'acme_challenge_failed', actor: 'customer' } });
    expect(story.reason?.acme?.type).toMatch(/:(unauthorized|incorrectResponse)$/);
    expect(story.reason?.detail).toMatch(/^The CA's validation of shop\d+\.customer\.test failed: /);
    expect(story.reason?.detail).toContain(story.reason?.acme?.detail);
    expect((await stack.api.domain(id)).body).toMatchObject({ status: 'failed', status_reason: story.reason?.detail });
  });

  faultTest(25, 'the CA forgot account and orders', async ({ stack: start, customer, injected }) => {
    const stack = await start({ proxy: true, customer: false });
    const count = scaled(4, 20);
    await orderMany(stack, count);
    await untilNone(stack, "SELECT id FROM orders WHERE status <> 'awaiting_dns'", 60_000);
    await stack.replaceCa();
    injected();
    customer(stack);
    await untilAllValid(stack, 300_000);
    const generations = await stack.query<{ generation: number }>('SELECT DISTINCT generation FROM orders');
    expect(generations).toEqual([{ generation: 2 }]);
  });
});

describe('deleting and asking again while an order is under way', () => {
  faultTest(37, 'a domain deleted at each phase, and registered again', async ({ stack: start, injected }) => {
    const stack = await start({ proxy: true, customer: false, env: { ISSUE_WAIT: '5s' } });
    for (const endpoint of ['new-order', 'challenge', 'finalize'] as const) {
      const [name = ''] = freshNames(1, 'deleted');
      const { id } = await stack.verifiedDomain(name);
      stack.proxy.fault(endpoint, {
        meanwhile: async () => {
          await stack.query('DELETE FROM domains WHERE id = $1', [id]);
        },
      });
      const { body } = await stack.api.issue(id);
      if (body.expected_txt_value) stack.dns.setTxt(body.challenge_domain, [body.expected_txt_value]);
      await until(async () => (await stack.query('SELECT 1 FROM domains WHERE id = $1', [id])).length === 0);
      injected();
      const again = await stack.verifiedDomain(name);
      const [first, second] = [await stack.api.issue(again.id), await stack.api.issue(again.id)];
      expect(second.body.order_id).toBe(first.body.order_id);
      stack.dns.setTxt(first.body.challenge_domain, [first.body.expected_txt_value ?? '']);
      expect((await stack.api.settled(again.id, 60_000)).status).toBe('active');
    }
    // What the CA issued for a deleted domain is nobody's any more: it is not counted as lost.
    await stack.replaceCa();
  });

  faultTest(38, 'a failed domain is asked for again', async ({ stack: start, customer }) => {
    const stack = await start({ proxy: true, customer: false });
    stack.proxy.fault('new-order', { answer: { status: 403, problem: 'rejectedIdentifier', detail: 'policy forbids it' } });
    const [id = ''] = await stack.seedDomains(freshNames(1));
    // Told at once, if the CA has said it by then.
    expect([202, 422]).toContain((await stack.api.issue(id)).status);
    await untilSettled(stack);
    expect((await stack.api.domain(id)).body).toMatchObject({ status: 'failed', status_reason: expect.stringContaining('policy forbids it') });
    customer(stack);
    await issueAll(stack, [id]);
    expect((await stack.api.settled(id, 60_000)).status).toBe('active');
  });
});
