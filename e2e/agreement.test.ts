import { setTimeout as sleep } from 'node:timers/promises';
import { type RealDns, type Stack, startRealDns, startStack } from '@certwright/testing';

/** `AGREEMENT_ORDERS=300` for the whole; here it must fit in a test run. */
const ORDERS = Number(process.env.AGREEMENT_ORDERS ?? 24);
const AT_ONCE = 24;
const ZONE = 'agree.test';
const POLL_MS = 500;

interface Waiting {
  orderId: string;
  name: string;
  value: string;
}

/** Real Knot servers, one of which lags behind at times; Pebble validates through the same Unbound that nobody else asks. */
describe('what we take for ready', () => {
  let dns: RealDns;
  let stack: Stack;
  beforeAll(async () => {
    dns = await startRealDns();
    await dns.addZone(ZONE);
    stack = await startStack({ queue: 'redis', workers: 2, realDns: dns, proxy: true, env: { POLL_INTERVAL: `${POLL_MS}ms`, POLL_TIMEOUT: '10m' } });
  }, 90_000);
  afterAll(async () => {
    await stack.stop();
    await dns.stop();
  });

  it(`is what the CA takes for valid, ${ORDERS} times of ${ORDERS}, delays and a stale secondary included`, async () => {
    const visibleAt = new Map<string, number>();
    const lateBy: number[] = [];
    for (let from = 0; from < ORDERS; from += AT_ONCE) {
      const names = Array.from({ length: Math.min(AT_ONCE, ORDERS - from) }, (_, index) => `n${from + index}.${ZONE}`);
      const ids = await stack.seedDomains(names);
      await Promise.all(ids.map((id) => stack.api.issue(id)));
      const waiting = await untilTold(ids.length);
      // Some set it at once, some after a while; every other round the secondary lags behind.
      const isStale = (from / AT_ONCE) % 2 === 0;
      if (isStale) dns.freezeSecondary();
      for (const part of [waiting.filter((_, index) => index % 2 === 0), waiting.filter((_, index) => index % 2 === 1)]) {
        await dns.set(ZONE, part.map(({ name, value }) => ({ name, type: 'TXT', ttl: 1, data: `"${value}"` })));
        if (!isStale) part.forEach(({ orderId }) => visibleAt.set(orderId, Date.now()));
        await sleep(700);
      }
      if (isStale) {
        expect(await stack.query("SELECT 1 FROM orders WHERE status NOT IN ('awaiting_dns', 'valid')")).toEqual([]);
        await dns.thawSecondary();
        waiting.forEach(({ orderId }) => visibleAt.set(orderId, Date.now()));
      }
      await untilOver();
    }
    const orders = await stack.query<{ id: string; status: string; generation: number; reason: unknown; told: Date }>(
      `SELECT o.id, o.status::text, o.generation, o.reason,
              (SELECT e.at FROM domain_events e WHERE e.order_id = o.id AND e.status = 'validating' ORDER BY e.id LIMIT 1) AS told FROM orders o`,
    );
    expect(orders.filter(({ status, generation }) => status !== 'valid' || generation !== 1)).toEqual([]);
    expect(orders).toHaveLength(ORDERS);
    expect(stack.proxy.count('challenge')).toBe(ORDERS); // never too early: none had to be repeated
    for (const { id, told } of orders) lateBy.push(told.getTime() - (visibleAt.get(id) ?? 0));
    lateBy.sort((a, b) => a - b);
    console.log(`${ORDERS} orders: ready and valid agree in all; told ms after visible: p50 ${lateBy[Math.floor(ORDERS / 2)]}, max ${lateBy.at(-1)}`);
  }, 600_000);

  async function untilTold(count: number): Promise<Waiting[]> {
    for (;;) {
      const rows = await stack.query<Waiting>(
        `SELECT o.id AS "orderId", a.txt_name AS name, a.txt_value AS value
           FROM orders o JOIN authorizations a ON a.order_id = o.id WHERE o.status = 'awaiting_dns'`,
      );
      if (rows.length === count) return rows;
      await sleep(100);
    }
  }

  async function untilOver(): Promise<void> {
    while ((await stack.query("SELECT 1 FROM orders WHERE status NOT IN ('valid', 'invalid')")).length > 0) await sleep(100);
  }
});
