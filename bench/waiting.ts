import { setTimeout as sleep } from 'node:timers/promises';
import { type NameServers, type Stack, startStack } from '@certwright/testing';
import { Redis } from 'ioredis';
import type { Client } from 'pg';
import { createLateness } from './lateness';
import { round, shown, type Spread, spreadOf, table } from './measure';
import { cpuReader, cpuSpent } from './stack-cpu';
import type { Options } from './options';
import { BENCH_ENV, withDatabase } from './stack-helpers';
import { enqueueWaitingOrders, insertWaitingOrders, readWaitingRows } from './waiting-rows';
import { readUsage, type Usage } from './waiting-usage';

const WORKERS = 2;
const SILENT = '127.0.0.66';
const SAMPLE_EVERY_MS = 1_000;
/** Before the first order is due: 2 ms for adding each job. */
const LEAD_MS_PER_ORDER = 2;

export interface Waiting {
  orders: number;
  /** Of them; all figures are about the others. */
  onSilentServers: number;
  pollIntervalMs: number;
  seconds: number;
  looks: number;
  looksPerSecond: number;
  looksPerSecondDue: number;
  /** Of the looks of the first interval, by processes that have never looked before. */
  coldLateMs: Spread;
  /** Of all later ones. */
  lateMs: Spread;
  /** When the run ended. */
  overdue: number;
  mostOverdueMs: number;
  queriesPerLook: number | null;
  usage: Usage[];
  cpuPercentOfOneCore: Record<string, number | null>;
  stillWaiting: number;
  failures: string[];
}

/** Thousands of orders that all wait for a record that doesn't come. */
export async function benchWaiting({ short, pollIntervalMs, silentShare }: Pick<Options, 'short' | 'pollIntervalMs' | 'silentShare'>): Promise<Waiting> {
  const order = { orders: short ? 1_000 : 10_000, seconds: short ? 30 : 90, pollIntervalMs, silentShare };
  const env = { ...BENCH_ENV, POLL_INTERVAL: `${pollIntervalMs}ms` };
  const stack = await startStack({ queue: 'redis', workers: WORKERS, env, nameServers: ['127.0.0.1', SILENT] });
  stack.dns.addZone('customer.test', { servers: ['127.0.0.1'] });
  stack.dns.addZone('silent.test', { servers: [SILENT] });
  stack.dns.misbehave(SILENT, 'silent');
  try {
    const redis = new Redis(stack.redis?.url ?? '');
    try {
      return await withDatabase(stack, (client) => observe(stack, client, redis, order));
    } finally {
      redis.disconnect();
    }
  } finally {
    await stack.stop();
  }
}

async function observe(
  stack: Stack,
  client: Client,
  redis: Redis,
  { orders, seconds, pollIntervalMs, silentShare }: { orders: number; seconds: number; pollIntervalMs: number; silentShare: number },
): Promise<Waiting> {
  const leadMs = Math.max(2_000, orders * LEAD_MS_PER_ORDER);
  const firstDue = performance.now() + leadMs;
  await insertWaitingOrders(stack, client, { orders, pollIntervalMs, leadMs, silentShare });
  await enqueueWaitingOrders(stack, client);
  const readCpu = await cpuReader(stack, client);
  await sleep(firstDue - performance.now());

  const lateness = createLateness();
  const usage = [await readUsage(stack, redis, 0)];
  const queries = countQueries(stack.dns);
  const cpuBefore = readCpu();
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const endMs = seconds * 1000;
  let coldLooks = 0;
  lateness.sample(await readWaitingRows(client));
  while (elapsed() < endMs) {
    await sleep(Math.min(SAMPLE_EVERY_MS, Math.max(1, endMs - elapsed())));
    lateness.sample(await readWaitingRows(client));
    if (elapsed() < pollIntervalMs) coldLooks = lateness.lateMs.length;
    if (usage.length === 1 && elapsed() > endMs / 2) usage.push(await readUsage(stack, redis, elapsed() / 1000));
  }
  const wallMs = elapsed();
  const cpu = cpuSpent(cpuBefore, readCpu(), wallMs / 100);
  const asked = queries.stop();
  usage.push(await readUsage(stack, redis, wallMs / 1000));
  const now = Date.now();
  const stillWaiting = (await readWaitingRows(client)).length;
  const looks = lateness.lateMs.length;
  const answered = orders - Math.round(orders * silentShare);
  return {
    orders,
    onSilentServers: orders - answered,
    pollIntervalMs,
    seconds,
    looks,
    looksPerSecond: round(looks / (wallMs / 1000), 1),
    looksPerSecondDue: round(answered / (pollIntervalMs / 1000), 1),
    coldLateMs: spreadOf(lateness.lateMs.slice(0, coldLooks)),
    lateMs: spreadOf(lateness.lateMs.slice(coldLooks)),
    overdue: lateness.overdue(now),
    mostOverdueMs: Math.round(lateness.mostOverdueMs(now)),
    queriesPerLook: looks === 0 ? null : round(asked / looks, 1),
    usage,
    cpuPercentOfOneCore: cpu,
    stillWaiting,
    failures: stillWaiting === answered ? [] : [`${answered - stillWaiting} of ${answered} waiting orders are not waiting any more`],
  };
}

/** The name server remembers only so many queries: they are counted and taken away several times a second. */
function countQueries(dns: NameServers): { stop(): number } {
  let count = 0;
  const take = (): void => {
    count += dns.queries.splice(0).length;
  };
  dns.queries.splice(0);
  const timer = setInterval(take, 200);
  return {
    stop() {
      clearInterval(timer);
      take();
      return count;
    },
  };
}

export function describeWaiting(waiting: Waiting): string {
  const { orders, onSilentServers, pollIntervalMs, seconds, lateMs, coldLateMs, usage, cpuPercentOfOneCore } = waiting;
  const listed = (values: (number | null)[]): string => values.map(shown).join(' + ');
  return [
    `Waiting: ${orders} orders wait for DNS at once, looked at every ${pollIntervalMs} ms, ${seconds} s, ${WORKERS} workers; ${onSilentServers} on silent servers, the figures are the others'`,
    '',
    table(
      ['looks', 'looks/s', 'due/s', 'overdue at end', 'most overdue ms', 'queries/look'],
      [
        [
          waiting.looks,
          waiting.looksPerSecond,
          waiting.looksPerSecondDue,
          waiting.overdue,
          waiting.mostOverdueMs,
          waiting.queriesPerLook,
        ],
      ],
    ),
    '',
    table(
      ['late by', 'p50 ms', 'p99 ms', 'max ms'],
      [
        ['first interval, cold', coldLateMs.p50, coldLateMs.p99, coldLateMs.max],
        ['afterwards', lateMs.p50, lateMs.p99, lateMs.max],
      ],
    ),
    '',
    table(
      ['memory at', 'workers MB', 'redis MB'],
      usage.map(({ second, workerRssMb, redisUsedMb }) => [`${second} s`, listed(workerRssMb), redisUsedMb]),
    ),
    '',
    table(['process', '% of a core'], Object.entries(cpuPercentOfOneCore)),
    '',
    `  Still waiting at the end: ${waiting.stillWaiting} of ${orders - onSilentServers}.`,
  ].join('\n');
}
