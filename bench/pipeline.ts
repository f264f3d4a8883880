import { type Stack, startStack } from '@certwright/testing';
import type { Client } from 'pg';
import { inLanes, until } from './lanes';
import { type Spread, spreadOf } from './measure';
import { cpuReader, cpuSpent } from './stack-cpu';
import { askForCertificate, BENCH_ENV, withDatabase } from './stack-helpers';

const PROXY_ORDERS = 20;
const TIMEOUT_MS = 60_000;

export interface PipelineResult {
  seconds: number;
  /** By process, per order. */
  cpuMsPerOrder: Record<string, number | null>;
  roundTripsPerOrder: number;
  latencyMs: Spread;
  failures: string[];
}

export interface PipelineOrder {
  orders: number;
  warmUp: number;
  /** HTTP clients at once. */
  width: number;
  workers: number;
}

/** The whole product: API, workers, PostgreSQL, Redis. */
export async function runPipeline(order: PipelineOrder): Promise<PipelineResult> {
  const stack = await startStack({ queue: 'redis', workers: order.workers, env: BENCH_ENV });
  try {
    const timed = await withDatabase(stack, (client) => time(stack, client, order));
    return { ...timed, roundTripsPerOrder: await countRoundTrips(order) };
  } finally {
    await stack.stop();
  }
}

async function time(stack: Stack, client: Client, order: PipelineOrder): Promise<Omit<PipelineResult, 'roundTripsPerOrder'>> {
  await issueAll(stack, client, { ...order, label: 'warm', orders: order.warmUp });
  const domains = await prepare(stack, 'n', order);
  const readCpu = await cpuReader(stack, client);
  const before = readCpu();
  const startedAt = performance.now();
  const failures = await takeThrough(stack, client, { label: 'n', domains, width: order.width });
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMsPerOrder = cpuSpent(before, readCpu(), order.orders, 1);
  const { rows } = await client.query<{ ms: number }>(
    `SELECT extract(epoch FROM c.created_at - o.created_at)::float8 * 1000 AS ms
       FROM orders o JOIN certificates c ON c.order_id = o.id JOIN domains d ON d.id = o.domain_id WHERE d.name LIKE 'n%'`,
  );
  return {
    seconds,
    cpuMsPerOrder,
    latencyMs: spreadOf(rows.map(({ ms }) => ms)),
    failures,
  };
}

/** In a small run of its own: what stands in front of the CA costs time. */
async function countRoundTrips({ width, workers }: PipelineOrder): Promise<number> {
  const stack = await startStack({
    queue: 'redis',
    workers,
    env: BENCH_ENV,
    proxy: true,
  });
  try {
    return await withDatabase(stack, async (client) => {
      const seen = (): number => stack.proxy.seen.length;
      await issueAll(stack, client, { label: 'warm', orders: workers * 2, width });
      const before = seen();
      const failures = await issueAll(stack, client, { label: 'n', orders: PROXY_ORDERS, width });
      if (failures.length > 0) throw new Error(failures.join('; '));
      return (seen() - before) / PROXY_ORDERS;
    });
  } finally {
    await stack.stop();
  }
}

async function issueAll(
  stack: Stack,
  client: Client,
  { label, orders, width }: { label: string; orders: number; width: number },
): Promise<string[]> {
  return takeThrough(stack, client, { label, width, domains: await prepare(stack, label, { orders, width }) });
}

const prepare = (stack: Stack, label: string, { orders, width }: { orders: number; width: number }): Promise<string[]> =>
  inLanes(
    Array.from({ length: orders }, (_, index) => `${label}${index}.customer.test`),
    width,
    async (name) => (await stack.verifiedDomain(name)).id,
  );

/** Asks, publishes at once, and waits until every domain is `active`. Returns what became of those that are not. */
async function takeThrough(
  stack: Stack,
  client: Client,
  { label, domains, width }: { label: string; domains: string[]; width: number },
): Promise<string[]> {
  await inLanes(domains, width, async (id) => {
    const { name, value } = await askForCertificate(stack, id);
    stack.dns.setTxt(name, [value]);
  });
  await until(`${domains.length} domains active or failed`, { timeoutMs: TIMEOUT_MS, everyMs: 200 }, async () => {
    const { rows } = await client.query<{ over: number }>(
      `SELECT count(*)::int AS over FROM domains WHERE name LIKE $1 AND status IN ('active', 'failed')`,
      [`${label}%`],
    );
    return rows[0]?.over === domains.length;
  });
  const { rows } = await client.query<{ name: string; status_reason: string | null }>(
    `SELECT name, status_reason FROM domains WHERE name LIKE $1 AND status <> 'active'`,
    [`${label}%`],
  );
  return rows.map(({ name, status_reason }) => `${name}: ${status_reason ?? 'failed'}`);
}
