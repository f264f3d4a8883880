import { type Stack, startStack } from '@certwright/testing';
import { Client } from 'pg';
import { inLanes, until } from '../lanes';
import { cpuReader, cpuUsed } from '../stack-cpu';
import { askForCertificate, BENCH_ENV } from '../stack-helpers';
import type { Round, Runner } from './rounds';

const PROXY_ORDERS = 20;
const TIMEOUT_MS = 60_000;

export interface PipelineSettings {
  warmUp: number;
  /** HTTP clients at once. */
  width: number;
  workers: number;
}

/** The whole product: API, workers, PostgreSQL, Redis. */
export async function startPipeline(settings: PipelineSettings, { proxy = false } = {}): Promise<Runner & { stack: Stack }> {
  const stack = await startStack({ queue: 'redis', workers: settings.workers, env: BENCH_ENV, wantsQueries: false, proxy });
  const client = new Client({ connectionString: stack.databaseUrl });
  const stop = async (): Promise<void> => {
    await client.end();
    await stack.stop();
  };
  try {
    await client.connect();
    const readCpu = await cpuReader(stack, client);
    const round = async (label: string, orders: number): Promise<Round> => {
      const domains = await prepare(stack, label, { orders, width: settings.width });
      const before = readCpu();
      const startedAt = performance.now();
      const failures = await takeThrough(stack, client, { label, domains, width: settings.width });
      const seconds = (performance.now() - startedAt) / 1000;
      return { orders, seconds, cpuMs: cpuUsed(before, readCpu()), latenciesMs: await latenciesOf(client, label), roundTrips: null, profile: null, failures };
    };
    await round('warm', settings.warmUp);
    return { stack, round, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Per order, in a small run of its own: what stands in front of the CA and counts costs time. */
export async function countRoundTrips(settings: PipelineSettings): Promise<number> {
  const { stack, round, stop } = await startPipeline({ ...settings, warmUp: settings.workers * 2 }, { proxy: true });
  try {
    const before = stack.proxy.seen.length;
    await round('n', PROXY_ORDERS);
    return (stack.proxy.seen.length - before) / PROXY_ORDERS;
  } finally {
    await stop();
  }
}

const prepare = (stack: Stack, label: string, { orders, width }: { orders: number; width: number }): Promise<string[]> =>
  inLanes(
    Array.from({ length: orders }, (_, index) => `${label}${index}.customer.test`),
    width,
    async (name) => (await stack.verifiedDomain(name)).id,
  );

/** Asks, publishes at once, and waits until all orders are over. Returns what became of domains that are not `active`. */
async function takeThrough(
  stack: Stack,
  client: Client,
  { label, domains, width }: { label: string; domains: string[]; width: number },
): Promise<string[]> {
  await inLanes(domains, width, async (id) => {
    const { name, value } = await askForCertificate(stack, id);
    stack.dns.setTxt(name, [value]);
  });
  await until('all orders are over', { timeoutMs: TIMEOUT_MS, everyMs: 200 }, async () => {
    const { rows } = await client.query<{ live: number }>("SELECT count(*)::int AS live FROM orders WHERE status NOT IN ('valid', 'invalid')");
    return rows[0]?.live === 0;
  });
  const { rows } = await client.query<{ name: string; status_reason: string | null }>(
    `SELECT name, status_reason FROM domains WHERE name LIKE $1 AND status <> 'active'`,
    [`${label}%`],
  );
  return rows.map(({ name, status_reason }) => `${name}: ${status_reason ?? 'failed'}`);
}

async function latenciesOf(client: Client, label: string): Promise<number[]> {
  const { rows } = await client.query<{ ms: number }>(
    `SELECT extract(epoch FROM c.created_at - o.created_at)::float8 * 1000 AS ms
       FROM orders o JOIN certificates c ON c.order_id = o.id JOIN domains d ON d.id = o.domain_id WHERE d.name LIKE $1`,
    [`${label}%`],
  );
  return rows.map(({ ms }) => ms);
}
