import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, freeDnsPort, startCertwright, startKnot } from '@certwright/testing';
import { type DnsperfRun, runDnsperf } from './dnsperf';
import { round, type Spread, spreadOf, table } from './measure';
import { APEX, insertLabels, NAME_SERVERS, writeQuestions, writeZoneFile } from './nameserver-zone';
import { cpuMsOf } from './processes';

const LABELS = 10_000;
/** Far below what the slowest takes: what latency is without a queue, in questions a second. */
const LATENCY_RATE = 2_000;
/** Of the rate, the most that may be set: nothing is to be limited here. */
const NO_LIMIT = '1000000';
const WAYS = ['our name server', 'knotd, 1 thread', 'knotd, as it comes'] as const;

interface Served {
  way: string;
  address: string;
  pid: number;
  stop(): Promise<unknown>;
}

export interface NameServerWay {
  way: string;
  /** Median of the rounds, and each of them. */
  perSecond: number;
  perSecondByRound: number[];
  /** Beside Knot with one thread, round by round: the median. */
  ratio: number;
  cpuUsPerAnswer: number | null;
  /** Under LATENCY_RATE, in microseconds. */
  latencyUs: Spread;
  lost: number;
}

export interface NameServerFigures {
  labels: number;
  rounds: number;
  seconds: number;
  latencyRate: number;
  ways: NameServerWay[];
  failures: string[];
}

/** Our name server beside Knot, with the same zone and the same questions, in turns. */
export async function benchNameServer({ short }: { short: boolean }): Promise<NameServerFigures> {
  const [rounds, seconds] = short ? [2, 1] : [5, 3];
  const database = await createTestDatabase();
  const dir = mkdtempSync(path.join(tmpdir(), 'certwright-bench-'));
  const served: Served[] = [];
  try {
    const labels = await insertLabels(database.url, LABELS);
    const port = await freeDnsPort(['127.0.0.11', '127.0.0.12', '127.0.0.13']);
    served.push(await startOurs(database.url, '127.0.0.11', port));
    const zones = [{ name: APEX, file: writeZoneFile(dir, labels) }];
    for (const [address, way, workers] of [['127.0.0.12', WAYS[1], 1], ['127.0.0.13', WAYS[2], 'default']] as const) {
      served.push({ way, ...(await startKnot({ address, port, zones, workers })) });
    }
    const questions = { port, file: writeQuestions(dir, labels) };
    for (const { address } of served) await runDnsperf({ ...questions, address, seconds: 1 }); // warm
    const taken = served.map((): Taken[] => []);
    for (let count = 0; count < rounds; count += 1) {
      for (const [index, one] of served.entries()) taken[index]?.push(await measure(one, questions, seconds));
    }
    const ways = served.map(({ way }, index) => figures(way, taken[index] ?? [], taken[1] ?? []));
    return { labels: LABELS, rounds, seconds, latencyRate: LATENCY_RATE, ways, failures: differences(served, taken) };
  } finally {
    for (const one of served) await one.stop();
    rmSync(dir, { recursive: true });
    await database.drop();
  }
}

async function startOurs(databaseUrl: string, address: string, port: number): Promise<Served> {
  const server = await startCertwright('nameserver', {
    DATABASE_URL: databaseUrl,
    ACME_ZONE: APEX,
    ACME_ZONE_NS: NAME_SERVERS.map((one) => `${one.name}=${one.address}`).join(),
    NAMESERVER_LISTEN: `${address}:${port}`,
    NAMESERVER_RATE: NO_LIMIT,
  });
  await server.ready();
  return { way: WAYS[0], address, pid: server.pid, stop: server.stop };
}

interface Taken {
  load: DnsperfRun;
  cpuUsPerAnswer: number | null;
  calm: DnsperfRun;
}

async function measure({ address, pid }: Served, questions: { port: number; file: string }, seconds: number): Promise<Taken> {
  const before = cpuMsOf(pid);
  const load = await runDnsperf({ ...questions, address, seconds });
  const after = cpuMsOf(pid);
  const cpuUsPerAnswer = before === null || after === null ? null : ((after - before) * 1_000) / (load.perSecond * seconds);
  return { load, cpuUsPerAnswer, calm: await runDnsperf({ ...questions, address, seconds, rate: LATENCY_RATE }) };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function figures(way: string, taken: Taken[], base: Taken[]): NameServerWay {
  const cpu = taken.map(({ cpuUsPerAnswer }) => cpuUsPerAnswer).filter((one) => one !== null);
  return {
    way,
    perSecond: round(median(taken.map(({ load }) => load.perSecond)), 0),
    perSecondByRound: taken.map(({ load }) => round(load.perSecond, 0)),
    ratio: round(median(taken.map(({ load }, index) => load.perSecond / (base[index]?.load.perSecond ?? 0))), 2),
    cpuUsPerAnswer: cpu.length === 0 ? null : round(median(cpu), 1),
    latencyUs: spreadOf(taken.flatMap(({ calm }) => calm.latencyUs)),
    lost: taken.reduce((sum, { load, calm }) => sum + load.lost + calm.lost, 0),
  };
}

/** They have to answer the same questions in the same way for figures to be compared. */
function differences(served: Served[], taken: Taken[][]): string[] {
  const shares = taken.map((runs) => {
    const counts = runs.map(({ load }) => load.rcodes);
    const of = (code: string): number => counts.reduce((sum, one) => sum + (one[code] ?? 0), 0);
    const all = counts.flatMap((one) => Object.values(one)).reduce((sum, count) => sum + count, 0);
    return `NOERROR ${round((100 * of('NOERROR')) / all, 0)} %, NXDOMAIN ${round((100 * of('NXDOMAIN')) / all, 0)} %`;
  });
  return served.flatMap(({ way }, index) => (shares[index] === shares[1] ? [] : [`${way} answers ${shares[index]}, Knot ${shares[1]}`]));
}

export function describeNameServer({ labels, rounds, seconds, latencyRate, ways }: NameServerFigures): string {
  const rows = ways.map(({ way, perSecond, perSecondByRound, ratio, cpuUsPerAnswer, latencyUs, lost }) => [
    way,
    perSecond,
    `${Math.min(...perSecondByRound)}-${Math.max(...perSecondByRound)}`,
    ratio,
    cpuUsPerAnswer,
    latencyUs.p50,
    latencyUs.p99,
    lost,
  ]);
  return [
    `Name server: ${labels} labels, UDP with EDNS, 80 % TXT of a label, 10 % of no label, 10 % other types; in turns, ${rounds} rounds of ${seconds} s`,
    `at full load, then of ${seconds} s at ${latencyRate} questions a second for the latency`,
    '',
    table(['', 'queries/s', 'from-to', 'ratio', 'CPU us/answer', 'p50 us', 'p99 us', 'lost'], rows),
  ].join('\n');
}
