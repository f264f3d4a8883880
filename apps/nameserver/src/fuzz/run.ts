import { mutant, type Random, seeded } from '@certwright/dns/fuzz';
import { check } from './check';
import { QUERIES } from './corpus';
import { type FuzzedServer, startFuzzedServer } from './sockets';

export interface FuzzOptions {
  seed: number;
  /** The run ends after so many seconds, or so many inputs. */
  seconds: number;
  inputs: number;
  /** After how many inputs some go over real sockets. */
  socketsEvery: number;
}

export interface FuzzReport {
  inputs: number;
  seconds: number;
  /** What was thrown, or answered against the rules of `check`, and the bytes that made it. */
  untyped: { error: unknown; bytes: string }[];
  /** Inputs that take more than HANG_MS. */
  hangs: string[];
  slowestMs: number;
  /** Messages over UDP and over TCP. */
  overSockets: number;
  /** How often each outcome came out, and how often without an answer. */
  outcomes: Record<string, number>;
}

const HANG_MS = 50;
const BATCH = 20;
const MAX_KEPT = 5;
/** How many inputs are made of queries; the others of replies, half of them with the bit that makes them queries. */
const QUERY_SHARE = 0.9;

/** Puts mutants of honest questions, and noise, through what a message goes through that has come to a name server. */
export async function runFuzz({ seed, seconds, inputs: most, socketsEvery }: FuzzOptions): Promise<FuzzReport> {
  const random = seeded(seed);
  const report: FuzzReport = { inputs: 0, seconds: 0, untyped: [], hangs: [], slowestMs: 0, overSockets: 0, outcomes: {} };
  const blame = (error: unknown, bytes: string): void => {
    if (report.untyped.length < MAX_KEPT) report.untyped.push({ error, bytes });
  };
  const server = await startFuzzedServer();
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1_000;
  try {
    while (report.inputs < most && elapsed() < seconds) {
      const bytes = input(random);
      try {
        const { outcome, ms } = timed(bytes, report.slowestMs);
        report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
        report.slowestMs = Math.max(report.slowestMs, ms);
        if (ms > HANG_MS && report.hangs.length < MAX_KEPT) report.hangs.push(bytes.toString('hex'));
      } catch (error) {
        blame(error, bytes.toString('hex'));
      }
      report.inputs += 1;
      if (report.inputs % socketsEvery === 0) report.overSockets += await overSockets(server, random, blame);
    }
  } finally {
    await server.close();
  }
  return { ...report, seconds: elapsed() };
}

function input(random: Random): Buffer {
  if (random() < QUERY_SHARE) return mutant(random, QUERIES);
  const bytes = Buffer.from(mutant(random));
  if (bytes.length > 2 && random() < 0.5) bytes.writeUInt8(bytes.readUInt8(2) & 0x07, 2);
  return bytes;
}

/** How long it takes to answer, and to look at the answers; where that seems a record, the best of some times: the machine does other things too. */
function timed(bytes: Buffer, record: number): { outcome: string; ms: number } {
  const once = (): { outcome: string; ms: number } => {
    const startedAt = performance.now();
    const { outcome, udp } = check(bytes);
    return { outcome: udp ? outcome : `${outcome}, no answer`, ms: performance.now() - startedAt };
  };
  const first = once();
  if (first.ms <= record) return first;
  return { outcome: first.outcome, ms: Math.min(first.ms, ...[once(), once(), once()].map(({ ms }) => ms)) };
}

async function overSockets(server: FuzzedServer, random: Random, blame: (error: unknown, bytes: string) => void): Promise<number> {
  for (const send of [server.overUdp, server.overTcp]) {
    const messages = Array.from({ length: BATCH }, () => input(random));
    await send(messages).catch((error: unknown) => blame(error, messages.map((one) => one.toString('hex')).join(' ')));
  }
  return 2 * BATCH;
}
