import { DnsWireError, query } from '../wire';
import { NAME } from './corpus';
import { startMutantServer } from './mutant-server';
import { mutant, seeded } from './mutate';
import { read } from './read';

export interface FuzzOptions {
  seed: number;
  /** The run ends after so many seconds, or so many inputs. */
  seconds: number;
  inputs: number;
  /** How many queries over real sockets there are among the inputs, one in so many. */
  queryEvery: number;
}

export interface FuzzReport {
  inputs: number;
  seconds: number;
  /** Errors that are not DnsWireError, and the bytes that made them. */
  untyped: { error: unknown; bytes: string }[];
  /** Inputs that take more than HANG_MS to decode and to make something of. */
  hangs: string[];
  slowestMs: number;
  queries: number;
  /** By how much the memory grew from when the code was warm, in MB. */
  grownMb: number;
  /** How often each state came out. */
  states: Record<string, number>;
}

const HANG_MS = 50;
const BATCH = 20;
const QUERY_MS = 40;
/** What a busy machine may add. */
const QUERY_SLACK_MS = 1_000;
const MAX_KEPT = 5;
const WARM_INPUTS = 5_000;

/** Puts mutants of honest replies through what a real reply goes through. */
export async function runFuzz({ seed, seconds, inputs: most, queryEvery }: FuzzOptions): Promise<FuzzReport> {
  const random = seeded(seed);
  const report: FuzzReport = { inputs: 0, seconds: 0, untyped: [], hangs: [], slowestMs: 0, queries: 0, grownMb: 0, states: {} };
  const blame = (error: unknown, bytes: string): void => {
    if (report.untyped.length < MAX_KEPT) report.untyped.push({ error, bytes });
  };
  const server = await startMutantServer(random);
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1_000;
  let warm = memoryMb();
  try {
    while (report.inputs < most && elapsed() < seconds) {
      const bytes = mutant(random);
      try {
        const { state, ms } = await timed(bytes, report.slowestMs);
        report.states[state] = (report.states[state] ?? 0) + 1;
        report.slowestMs = Math.max(report.slowestMs, ms);
        if (ms > HANG_MS && report.hangs.length < MAX_KEPT) report.hangs.push(bytes.toString('hex'));
      } catch (error) {
        blame(error, bytes.toString('hex'));
      }
      report.inputs += 1;
      if (report.inputs === WARM_INPUTS) warm = memoryMb();
      if (report.inputs % (queryEvery * BATCH) === 0) report.queries += await queryBatch(server, blame);
    }
  } finally {
    await server.close();
  }
  return { ...report, seconds: elapsed(), grownMb: memoryMb() - warm };
}

/** How long it takes to read the bytes; where that seems a record, the best of some times: the machine does other things too. */
async function timed(bytes: Buffer, record: number): Promise<{ state: string; ms: number }> {
  const once = async (): Promise<{ state: string; ms: number }> => {
    const startedAt = performance.now();
    const state = await read(bytes);
    return { state, ms: performance.now() - startedAt };
  };
  const first = await once();
  if (first.ms <= record) return first;
  const again = [await once(), await once(), await once()].map(({ ms }) => ms);
  return { state: first.state, ms: Math.min(first.ms, ...again) };
}

/** Queries at once over real sockets, each of which has to end in time, in a reply or a DnsWireError. */
async function queryBatch(server: { address: string; port: number; sent(): string }, blame: (error: unknown, bytes: string) => void): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: BATCH }, () =>
      query({ name: NAME, type: 'TXT' }, server, { timeoutMs: QUERY_MS }).catch((error: unknown) => {
        if (!(error instanceof DnsWireError)) blame(error, server.sent());
      }),
    ),
  );
  const ms = performance.now() - startedAt;
  if (ms > 2 * QUERY_MS + QUERY_SLACK_MS) blame(new Error(`queries of ${QUERY_MS} ms took ${Math.round(ms)} ms`), server.sent());
  return BATCH;
}

function memoryMb(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_048_576;
}
