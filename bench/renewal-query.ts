import { randomBytes } from 'node:crypto';
import { createDatabase, type Database } from '@certwright/db';
import { createTestDatabase } from '@certwright/testing';
import { Client } from 'pg';
import { domainsToWatch } from '../packages/db/src/domain-store';
import type { Prisma } from '../packages/db/src/generated/client';
import { claimRenewals, dueRenewals, renewalCensus } from '../packages/db/src/renewal-store';
import { type Spread, spreadOf, table } from './measure';
import { insertRenewals, makeDue } from './renewal-rows';

const DUE = [0, 10, 1_000, 10_000];
/** As many as a pass takes at a time. */
const BATCH = 200;
const TIMES = 100;

/** By `EXPLAIN (ANALYZE, BUFFERS)`. */
interface Explained {
  ms: number;
  /** Pages of 8 kB, found in memory or read. */
  buffers: number;
  plan: string[];
}

interface Measured {
  rows: number;
  due: number;
  search: Explained;
  claim: Explained;
  watch: Explained;
  census: Explained;
  /** In microseconds. */
  claimDueUs: Spread;
}

export interface RenewalQuery {
  measured: Measured[];
  failures: string[];
}

/** The searches that run all the time, on tables of two sizes: they are to grow with what is due, and not with what is there. */
export async function benchRenewalQuery({ short }: { short: boolean }): Promise<RenewalQuery> {
  const sizes = short ? [10_000, 100_000] : [100_000, 1_000_000];
  const test = await createTestDatabase();
  const database = createDatabase({ url: test.url, sealingKey: randomBytes(32), poolMax: 1 });
  const client = new Client({ connectionString: test.url });
  await client.connect();
  const measured: Measured[] = [];
  try {
    let there = 0;
    for (const rows of sizes) {
      await insertRenewals(client, { from: there + 1, to: rows });
      there = rows;
      for (const due of DUE) {
        await makeDue(client, { rows, due });
        measured.push(await measure(client, database, { rows, due }));
      }
    }
  } finally {
    await client.end();
    await database.close();
    await test.drop();
  }
  return { measured, failures: failuresOf(measured) };
}

async function measure(client: Client, database: Database, { rows, due }: { rows: number; due: number }): Promise<Measured> {
  const search = await explain(client, dueRenewals(BATCH));
  const claim = await explain(client, claimRenewals(BATCH, 300_000));
  const watch = await explain(client, domainsToWatch(0, BATCH));
  const census = await explain(client, renewalCensus);
  const us: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const startedAt = performance.now();
    await database.renewals.claimDue(BATCH, 0); // due again at once, after all others
    us.push((performance.now() - startedAt) * 1_000);
  }
  return { rows, due, search, claim, watch, census, claimDueUs: spreadOf(us) };
}

/** Twice, and what the second time says; what it writes is undone. */
async function explain(client: Client, { text, values }: Prisma.Sql): Promise<Explained> {
  let plan: string[] = [];
  for (let time = 0; time < 2; time += 1) {
    await client.query('BEGIN');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>({ text: `EXPLAIN (ANALYZE, BUFFERS) ${text}`, values });
    await client.query('ROLLBACK');
    plan = rows.map((row) => row['QUERY PLAN']);
  }
  const all = plan.join('\n');
  const first = /Buffers: (.*)/.exec(all)?.[1] ?? '';
  const buffers = [...first.matchAll(/(?:hit|read)=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { ms: Number(/Execution Time: ([\d.]+)/.exec(all)?.[1]), buffers, plan };
}

/** Ten times the rows may take twice the pages (an index is one level higher), and not ten times. */
function failuresOf(measured: Measured[]): string[] {
  const [least] = measured;
  return measured.flatMap(({ rows, due, ...parts }) => {
    const small = measured.find((one) => one.due === due && one.rows === least?.rows);
    return (['search', 'claim', 'watch'] as const).flatMap((part) => {
      const { plan, buffers } = parts[part];
      const isScan = rows > (least?.rows ?? 0) && plan.some((line) => /Seq Scan on (renewals|domains)/.test(line)); // of few rows it may be the best
      const isGrown = buffers > 2 * (small?.[part].buffers ?? 0) + 100;
      const what = `${part} of ${rows} rows with ${due} due`;
      return [...(isScan ? [`${what} reads the whole table`] : []), ...(isGrown ? [`${what} takes ${buffers} pages`] : [])];
    });
  });
}

export function describeRenewalQuery({ measured }: RenewalQuery): string {
  const last = measured.at(-1);
  const plans = (['search', 'claim', 'watch', 'census'] as const).flatMap((part) => [`  ${part}:`, ...(last?.[part].plan ?? []).map((line) => `    ${line}`), '']);
  const shown = ({ ms, buffers }: Explained): (number | string)[] => [ms, buffers];
  return [
    `The searches of the renewals and of the day's watch, ${BATCH} rows at most; ms and pages by EXPLAIN (ANALYZE, BUFFERS)`,
    '',
    table(
      ['rows', 'due', 'search ms', 'pages', 'claim ms', 'pages', 'watch ms', 'pages', 'census ms', 'pages', 'claimDue p50 us', 'p99 us'],
      measured.map(({ rows, due, search, claim, watch, census, claimDueUs }) => [
        rows,
        due,
        ...[search, claim, watch, census].flatMap(shown),
        claimDueUs.p50,
        claimDueUs.p99,
      ]),
    ),
    '',
    `  The plans with ${last?.rows} rows, ${last?.due} due:`,
    '',
    ...plans,
  ].join('\n');
}
