import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '@certwright/testing';
import type { Client } from 'pg';
import { until } from './lanes';
import { type Spread, spreadOf, table } from './measure';
import { askForCertificate, BENCH_ENV, withDatabase } from './stack-helpers';

/** The product's default, and a hasty one. */
const POLL_INTERVALS_MS = [10_000, 500];
const LOOK_EVERY_MS = 10;
const TIMEOUT_MS = 60_000;

export interface VisibleToActive {
  runs: { pollIntervalMs: number; ms: Spread }[];
  failures: string[];
}

/** How long a customer who has set the record waits for the certificate, one order at a time. */
export async function benchVisibleToActive({ short }: { short: boolean }): Promise<VisibleToActive> {
  const orders = short ? 5 : 20;
  const runs: VisibleToActive['runs'] = [];
  const failures: string[] = [];
  for (const pollIntervalMs of POLL_INTERVALS_MS) {
    const env = { ...BENCH_ENV, POLL_INTERVAL: `${pollIntervalMs}ms` };
    const stack = await startStack({ queue: 'redis', workers: 1, env });
    try {
      const took = await withDatabase(stack, async (client) => {
        const all: number[] = [];
        await oneOrder(stack, client, { name: 'warm.customer.test', publishAfterMs: 0 });
        for (let index = 0; index < orders; index += 1) {
          // Even steps through the interval: where in it the customer publishes decides most of the wait.
          const publishAfterMs = ((index + 0.5) / orders) * pollIntervalMs;
          try {
            all.push(await oneOrder(stack, client, { name: `n${index}.customer.test`, publishAfterMs }));
          } catch (error) {
            failures.push(`n${index}.customer.test: ${String(error)}`);
          }
        }
        return all;
      });
      runs.push({ pollIntervalMs, ms: spreadOf(took) });
    } finally {
      await stack.stop();
    }
  }
  return { runs, failures };
}

/** Milliseconds from the moment the record is visible until the domain is `active`. */
async function oneOrder(
  stack: Stack,
  client: Client,
  { name, publishAfterMs }: { name: string; publishAfterMs: number },
): Promise<number> {
  const { id } = await stack.verifiedDomain(name);
  const { name: txtName, value, orderId } = await askForCertificate(stack, id);
  const patience = { timeoutMs: TIMEOUT_MS, everyMs: LOOK_EVERY_MS };
  await until('the first look at DNS', patience, async () => {
    const sql = 'SELECT 1 FROM authorizations WHERE order_id = $1 AND checked_at IS NOT NULL';
    return (await client.query(sql, [orderId])).rows.length > 0;
  });
  await sleep(publishAfterMs);
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
  return performance.now() - visibleAt;
}

export const describeVisibleToActive = ({ runs }: VisibleToActive): string =>
  [
    'From "the TXT record is visible" to `active`, one order at a time, published at even steps of the interval',
    '',
    table(
      ['POLL_INTERVAL', 'orders', 'p50 ms', 'p95 ms', 'max ms'],
      runs.map(({ pollIntervalMs, ms }) => [`${pollIntervalMs} ms`, ms.count, ms.p50, ms.p95, ms.max]),
    ),
  ].join('\n');
