import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '@certwright/testing';
import type { Client } from 'pg';
import { until } from './lanes';
import { round, type Spread, spreadOf, table } from './measure';
import { askForCertificate, BENCH_ENV, withDatabase } from './stack-helpers';

/** The product's default. */
const POLL_INTERVAL_MS = 10_000;
const LOOK_EVERY_MS = 10;

/** How long the value has been known before it is published, and whether somebody waits for the domain by a long poll. */
const SITUATIONS = [
  { what: 'value told a moment ago', waitedMinutes: 0, isWatched: false },
  { what: 'told half an hour ago, somebody waits', waitedMinutes: 30, isWatched: true },
  { what: 'told half an hour ago, nobody waits', waitedMinutes: 30, isWatched: false },
];
type Situation = (typeof SITUATIONS)[number];
const TIMEOUT_MS = 60_000;

export interface VisibleToActive {
  pollIntervalMs: number;
  runs: { what: string; ms: Spread; queriesPerOrder: number; queriesPerMinuteWaiting: number }[];
  failures: string[];
}

/** How long a customer who has set the record waits for the certificate, one order at a time. */
export async function benchVisibleToActive({ short }: { short: boolean }): Promise<VisibleToActive> {
  const orders = short ? 5 : 20;
  const runs: VisibleToActive['runs'] = [];
  const failures: string[] = [];
  for (const situation of SITUATIONS) {
    const env = { ...BENCH_ENV, POLL_INTERVAL: `${POLL_INTERVAL_MS}ms`, POLL_TIMEOUT: '2h' };
    const stack = await startStack({ queue: 'redis', workers: 1, env });
    try {
      const took = await withDatabase(stack, async (client) => {
        const all: Taken[] = [];
        await oneOrder(stack, client, { name: 'warm.customer.test', publishAfterMs: 0, ...situation });
        for (let index = 0; index < orders; index += 1) {
          // Even steps through the interval: where in it the customer publishes decides most of the wait.
          const publishAfterMs = ((index + 0.5) / orders) * POLL_INTERVAL_MS;
          try {
            all.push(await oneOrder(stack, client, { name: `n${index}.customer.test`, publishAfterMs, ...situation }));
          } catch (error) {
            failures.push(`n${index}.customer.test: ${String(error)}`);
          }
        }
        return all;
      });
      const sum = (of: (one: Taken) => number): number => took.reduce((total, one) => total + of(one), 0);
      runs.push({
        what: situation.what,
        ms: spreadOf(took.map(({ ms }) => ms)),
        queriesPerOrder: round(sum(({ queries }) => queries) / took.length, 1),
        queriesPerMinuteWaiting: round((sum(({ queriesWaiting }) => queriesWaiting) / sum(({ waitedMs }) => waitedMs)) * 60_000, 1),
      });
    } finally {
      await stack.stop();
    }
  }
  return { pollIntervalMs: POLL_INTERVAL_MS, runs, failures };
}

interface Taken {
  /** From the moment the record is visible until the domain is `active`. */
  ms: number;
  /** DNS queries in all. */
  queries: number;
  /** Those before the record was published, and in what time. */
  queriesWaiting: number;
  waitedMs: number;
}

async function oneOrder(
  stack: Stack,
  client: Client,
  { name, publishAfterMs, waitedMinutes, isWatched }: { name: string; publishAfterMs: number } & Situation,
): Promise<Taken> {
  const { id } = await stack.verifiedDomain(name);
  stack.dns.queries.splice(0);
  const { name: txtName, value, orderId } = await askForCertificate(stack, id);
  const patience = { timeoutMs: TIMEOUT_MS, everyMs: LOOK_EVERY_MS };
  await until('the first look at DNS', patience, async () => {
    const sql = 'SELECT 1 FROM authorizations WHERE order_id = $1 AND checked_at IS NOT NULL';
    return (await client.query(sql, [orderId])).rows.length > 0;
  });
  await client.query("UPDATE orders SET status_since = status_since - $2 * interval '1 minute' WHERE id = $1", [orderId, waitedMinutes]);
  const waiting = isWatched ? stack.api.call('GET', `/domains/${id}?wait=30`) : null;
  const waitingSince = performance.now();
  const queriesBefore = stack.dns.queries.length;
  await sleep(publishAfterMs);
  const queriesWaiting = stack.dns.queries.length - queriesBefore;
  const visibleAt = performance.now();
  stack.dns.setTxt(txtName, [value]);
  await until('active', patience, async () => {
    const { rows } = await client.query<{ status: string; status_reason: string | null }>(
      'SELECT status::text AS status, status_reason FROM domains WHERE id = $1',
      [id],
    );
    if (rows[0]?.status === 'failed') throw new Error(rows[0].status_reason ?? 'failed');
    return rows[0]?.status === 'active';
  });
  const ms = performance.now() - visibleAt;
  await waiting;
  return { ms, queries: stack.dns.queries.length, queriesWaiting, waitedMs: visibleAt - waitingSince };
}

export const describeVisibleToActive = ({ pollIntervalMs, runs }: VisibleToActive): string =>
  [
    `From "the TXT record is visible" to \`active\`, one order at a time, POLL_INTERVAL ${pollIntervalMs} ms`,
    '',
    table(
      ['situation', 'orders', 'p50 ms', 'p95 ms', 'max ms', 'DNS queries an order', 'a minute of waiting'],
      runs.map(({ what, ms, queriesPerOrder, queriesPerMinuteWaiting }) => [what, ms.count, ms.p50, ms.p95, ms.max, queriesPerOrder, queriesPerMinuteWaiting]),
    ),
  ].join('\n');
