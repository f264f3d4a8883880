import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiReply, audit, type CertwrightProcess, type Stack, type StackOptions, startStack } from '@certwright/testing';

/** `npm run test:faults` runs at full scale; `npm test` runs each test once, small. */
export const isFull = process.env.FAULTS === 'full';
export const scaled = (short: number, full: number): number => (isFull ? full : short);

/** Soon free again, so that a kill costs a test ten seconds and not forty. */
const QUICK = { LEASE_TIME: '5s', ISSUE_WAIT: '300ms', POLL_TIMEOUT: '10m' };

const CLIENTS = 16;
const TEST_TIMEOUT_MS = 20 * 60_000;

export interface Scenario {
  /** A whole service, and a customer who sets every TXT value that is asked for; checked and stopped at the end. */
  stack(options?: Partial<StackOptions> & { customer?: boolean }): Promise<Stack>;
  /** The customer begins to set what is asked for. */
  customer(stack: Stack): void;
  /** Adds to the table: a process killed, a fault that the fault proxy did not count. */
  injected(count?: number): void;
  /** Kills a worker and starts another. */
  replaceWorker(stack: Stack, worker: CertwrightProcess, env?: Record<string, string>): Promise<CertwrightProcess>;
  /** The audit must find this, and nothing else. */
  expectViolations(what: RegExp): void;
}

/** They mostly wait: several are under way at a time. More large ones would keep the CA from DNS until it gives up. */
const AT_ONCE = isFull ? 2 : 4;
const ONLY = process.env.FAULT_TESTS?.split(',').map(Number);

interface Registered {
  name: string;
  carryOut: () => Promise<void>;
  result?: Promise<void>;
}
const registered: Registered[] = [];
let underWay = 0;

/** Starts what may run by now. A failure is kept until its own test asks for it. */
function startNext(): void {
  while (underWay < AT_ONCE) {
    const next = registered.find(({ result }) => result === undefined);
    if (!next) return;
    underWay += 1;
    next.result = next.carryOut().finally(() => {
      underWay -= 1;
      startNext();
    });
    next.result.catch(() => undefined);
  }
}

async function resultOf(test: Registered): Promise<void> {
  startNext();
  await until(() => test.result !== undefined, TEST_TIMEOUT_MS);
  await test.result;
}

/** Registers one fault test; the invariants I1 to I6 are checked after it. */
export function faultTest(
  number: number,
  title: string,
  run: (scenario: Scenario) => Promise<void>,
  { postgresToo = false }: { postgresToo?: boolean } = {},
): void {
  const queues = postgresToo && isFull ? (['redis', 'postgres'] as const) : (['redis'] as const);
  for (const queue of queues) {
    const name = `${number} ${title}${queue === 'postgres' ? ' (queue in PostgreSQL)' : ''}`;
    if (ONLY && !ONLY.includes(number)) {
      it.skip(name, () => undefined); // a file without any test is an error
      continue;
    }
    const test: Registered = { name, carryOut: () => carryOut(number, name, queue, run) };
    registered.push(test);
    it(name, () => resultOf(test), TEST_TIMEOUT_MS);
  }
}

async function carryOut(number: number, name: string, queue: 'redis' | 'postgres', run: (scenario: Scenario) => Promise<void>) {
  const startedAt = performance.now();
  const stacks: Stack[] = [];
  const stops: (() => void)[] = [];
  let injected = 0;
  let expected: RegExp | null = null;
  const scenario: Scenario = {
    async stack({ env, customer = true, ...options } = {}) {
      const stack = await startStack({ queue, ...options, env: { ...QUICK, ...env } });
      stacks.push(stack);
      if (customer) scenario.customer(stack);
      return stack;
    },
    customer: (stack) => void stops.push(beCustomer(stack)),
    injected: (count = 1) => void (injected += count),
    async replaceWorker(stack, worker, env) {
      injected += 1;
      await worker.kill();
      return stack.startWorker(env);
    },
    expectViolations: (what) => void (expected = what),
  };
  try {
    await run(scenario);
    for (const stack of stacks) {
      const faults = injected + (hasProxy(stack) ? stack.proxy.injected : 0);
      if (hasProxy(stack)) stack.proxy.heal();
      const result = await audit(stack);
      record({ number, name, injected: faults, ...result, seconds: Math.round((performance.now() - startedAt) / 1000) });
      expect(result.violations).toEqual(expected ? [expect.stringMatching(expected)] : []);
    }
  } catch (error) {
    record({ number, name, injected, failed: String(error).split('\n')[0], seconds: Math.round((performance.now() - startedAt) / 1000) });
    for (const one of stacks.flatMap((stack) => stack.processes())) console.error(`${number}: the end of ${one.role} ${one.pid}\n${one.output().slice(-LOG_SHOWN)}`);
    throw error;
  } finally {
    for (const stop of stops) stop();
    for (const stack of stacks) await stack.stop();
  }
}

/** Of each process, where a test fails, in characters. */
const LOG_SHOWN = 6_000;

const hasProxy = (stack: Stack): boolean => stack.directoryUrl !== stack.ca.directoryUrl;

function record(row: object): void {
  const file = process.env.CERTWRIGHT_FAULTS_TABLE;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** Sets the TXT values of all orders that wait for them, several times a second. */
function beCustomer(stack: Stack): () => void {
  let over = false;
  const live = async (): Promise<void> => {
    while (!over) {
      try {
        const rows = await stack.query<{ name: string; values: string[] }>(
          `SELECT a.txt_name AS name, array_agg(a.txt_value) AS values FROM authorizations a JOIN orders o ON o.id = a.order_id
            WHERE o.status = 'awaiting_dns' AND a.status = 'pending' GROUP BY 1`,
        );
        for (const { name, values } of rows) stack.dns.setTxt(name, values);
      } catch {
        // PostgreSQL is down in some tests: the customer does not mind
      }
      await sleep(200);
    }
  };
  void live();
  return () => void (over = true);
}

let names = 0;
export const freshNames = (count: number, prefix = 'shop'): string[] =>
  Array.from({ length: count }, () => `${prefix}${(names += 1)}.customer.test`);

/** Domains that are verified, and a certificate asked for each, by 16 clients at once. Returns their ids. */
export async function orderMany(stack: Stack, count: number): Promise<string[]> {
  const ids = await stack.seedDomains(freshNames(count));
  await issueAll(stack, ids);
  return ids;
}

/** @throws Error for an answer that is neither 202 nor says that the order goes on by itself */
export async function issueAll(stack: Stack, ids: string[]): Promise<number[]> {
  const left = [...ids];
  const took: number[] = [];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) {
        const startedAt = performance.now();
        const { status, text } = await stack.api.issue(id);
        took.push(performance.now() - startedAt);
        if (![202, 429, 503].includes(status)) throw new Error(`issue-certificate: ${status} ${text}`);
      }
    }),
  );
  return took.sort((a, b) => a - b);
}

/** Until `sql` returns no row. @throws Error with what is left */
export async function untilNone(stack: Stack, sql: string, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const rows = await stack.query(sql).catch(() => [{ database: 'away' }]);
    if (rows.length === 0) return;
    if (performance.now() > giveUpAt) throw new Error(`still there: ${JSON.stringify(rows.slice(0, 3))} (${rows.length} rows)`);
    await sleep(250);
  }
}

/** Until no order is live. */
export const untilSettled = (stack: Stack, timeoutMs = 120_000): Promise<void> =>
  untilNone(stack, "SELECT id, status, reason FROM orders WHERE status NOT IN ('valid', 'invalid')", timeoutMs);

/** Until all orders are valid. */
export async function untilAllValid(stack: Stack, timeoutMs?: number): Promise<void> {
  await untilSettled(stack, timeoutMs);
  expect(await stack.query("SELECT names, reason FROM orders WHERE status <> 'valid'")).toEqual([]);
}

/**
 * Until no order is live, while hours pass: of the orders that are set apart because workers have died on them the next one to be due is
 * due now, one every 4 s, so that they come back one by one, as they would.
 */
export async function untilSettledInHours(stack: Stack): Promise<void> {
  let over = false;
  const passing = (async (): Promise<void> => {
    for (; !over; await sleep(4_000)) {
      await stack.query(
        `UPDATE orders SET due_at = now() - interval '1 minute'
          WHERE id = (SELECT id FROM orders WHERE reason->>'code' = 'worker_crashed' AND due_at > now() AND lease_until IS NULL ORDER BY due_at LIMIT 1)`,
      );
    }
  })();
  try {
    await untilSettled(stack, 400_000);
  } finally {
    over = true;
    await passing;
  }
}

/** Until `isTrue` is. */
export async function until(isTrue: () => unknown, timeoutMs = 60_000): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > giveUpAt) throw new Error(`not so after ${timeoutMs} ms: ${isTrue.toString()}`);
    await sleep(50);
  }
}

/** What the API says of a domain's newest order. */
export async function orderOf(stack: Stack, domainId: string): Promise<Record<string, unknown> & OrderSeen> {
  const { body }: ApiReply<{ order_id?: string | null }> = await stack.api.domain(domainId);
  return (await stack.api.order(body.order_id ?? '')).body as unknown as Record<string, unknown> & OrderSeen;
}

export interface OrderSeen {
  id: string;
  status: string;
  generation: number;
  next_check_at: string | null;
  reason: { code: string; detail: string; actor: string; action: string; until?: string; acme?: { type: string; detail: string } } | null;
  history: { status: string; code?: string }[];
  authorizations: { txt_name: string; txt_value: string; evidence: { verdict: string; servers: { state: string }[] } | null }[];
}

export const worker = (stack: Stack): CertwrightProcess => {
  const last = stack.workers.at(-1);
  if (!last) throw new Error('there is no worker');
  return last;
};
