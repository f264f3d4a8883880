import { round, type Spread, spreadOf, table } from '../measure';
import { sumKnown } from '../processes';
import { startLoop } from './loop';
import { countRoundTrips, startPipeline } from './pipeline';
import type { Profile } from './profile';
import { inTurns, lasting, type Round } from './rounds';

const WIDTH = 16;
const WORKERS = 2;
/** Of a service that runs for weeks the first seconds, before V8 has compiled it, say little: `warmUp` orders before the first round. */
const FULL = { rounds: 3, orders: 1_000, warmUp: 1_000 };
const SHORT = { rounds: 2, orders: 40, warmUp: 16 };

export interface IssuanceWay {
  way: string;
  ordersPerSecond: number;
  /** To the stock library's rate of the same round: median, least and most of all rounds. */
  ratio: { median: number; least: number; most: number };
  cpuMsPerOrder: number | null;
  roundTripsPerOrder: number;
  latencyMs: Spread;
}

export interface Issuance {
  rounds: number;
  orders: number;
  warmUp: number;
  width: number;
  workers: number;
  ways: IssuanceWay[];
  /** Of the whole product's rounds, by process. */
  cpuMsPerOrder: Record<string, number | null>;
  /** Of our gateway in a bare loop, in a round of its own, in milliseconds an order. */
  gatewayProfile: Profile;
  failures: string[];
}

/** The same orders through the stock library, our gateway, and the whole product, in turns. */
export async function benchIssuance({ short }: { short: boolean }): Promise<Issuance> {
  const { rounds, orders, warmUp } = short ? SHORT : FULL;
  const pipeline = { warmUp, width: WIDTH, workers: WORKERS };
  const loop = { width: WIDTH, warmUp };
  const runners = [
    lasting('the loop over acme-client', () => startLoop('acme-client', loop)),
    lasting('the loop over our gateway', () => startLoop('gateway', loop)),
    lasting('the whole product', () => startPipeline(pipeline)),
  ];
  let results: Round[][];
  try {
    results = await inTurns(runners, rounds, orders);
  } finally {
    for (const runner of runners) await runner.stop();
  }
  const [stock = [], gateway = [], product = []] = results;
  const trips = await countRoundTrips(pipeline);
  const wayOf = (way: string, of: Round[], roundTripsPerOrder: number, isOwn: (process: string) => boolean): IssuanceWay => {
    const ratios = of.map(({ seconds }, index) => (stock[index]?.seconds ?? NaN) / seconds).sort((a, b) => a - b);
    const at = (index: number): number => round(ratios[index] ?? NaN, 2);
    return {
      way,
      ordersPerSecond: round((rounds * orders) / sumOf(of.map(({ seconds }) => seconds)), 1),
      ratio: { median: at(Math.floor(rounds / 2)), least: at(0), most: at(rounds - 1) },
      cpuMsPerOrder: rounded(sumKnown(Object.entries(cpuPerOrder(of, orders)).filter(([name]) => isOwn(name)).map(([, ms]) => ms))),
      roundTripsPerOrder: round(roundTripsPerOrder, 1),
      latencyMs: spreadOf(of.flatMap(({ latenciesMs }) => latenciesMs)),
    };
  };
  const counted = (of: Round[]): number => sumOf(of.map(({ roundTrips }) => roundTrips ?? NaN)) / (rounds * orders);
  const cpuMsPerOrder = cpuPerOrder(product, orders);
  return {
    rounds,
    orders,
    warmUp,
    width: WIDTH,
    workers: WORKERS,
    ways: [
      wayOf('acme-client, bare loop', stock, counted(stock), () => true),
      wayOf('our gateway, bare loop', gateway, counted(gateway), () => true),
      wayOf('the whole product', product, trips, (name) => /^(api|worker)/.test(name)),
    ],
    cpuMsPerOrder: Object.fromEntries(Object.entries(cpuMsPerOrder).map(([name, ms]) => [name, rounded(ms)])),
    gatewayProfile: await profileGateway(orders, loop),
    failures: [],
  };
}

const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
const rounded = (ms: number | null): number | null => (ms === null ? null : round(ms, 1));

function cpuPerOrder(rounds: Round[], orders: number): Record<string, number | null> {
  const names = [...(rounds[0]?.cpuMs.keys() ?? [])];
  const perOrder = (ms: number | null): number | null => (ms === null ? null : ms / (rounds.length * orders));
  return Object.fromEntries(names.map((name) => [name, perOrder(sumKnown(rounds.map(({ cpuMs }) => cpuMs.get(name) ?? null)))]));
}

/** At a CA of its own, as the others' have thousands of orders by now. */
async function profileGateway(orders: number, settings: { width: number; warmUp: number }): Promise<Profile> {
  const loop = await startLoop('gateway', settings);
  try {
    const profile = await loop.profile('p', orders);
    return Object.fromEntries(Object.entries(profile).map(([what, ms]) => [what, round(ms / orders, 2)]));
  } finally {
    await loop.stop();
  }
}

export function describeIssuance({ rounds, orders, warmUp, width, workers, ways, cpuMsPerOrder, gatewayProfile }: Issuance): string {
  const rows = ways.map(({ way, ordersPerSecond, ratio, cpuMsPerOrder, roundTripsPerOrder, latencyMs }) => [
    way,
    ordersPerSecond,
    ratio.median,
    `${ratio.least} - ${ratio.most}`,
    cpuMsPerOrder,
    roundTripsPerOrder,
    latencyMs.p50,
    latencyMs.p95,
    latencyMs.max,
  ]);
  return [
    `Issuance: ${rounds} rounds of ${orders} orders of one name, ${width} at once, the ways in turns, each at a test CA of its own`,
    `  and after ${warmUp} orders that are not counted; the product with ${workers} workers`,
    '',
    table(['', 'orders/s', 'ratio', 'of all rounds', 'CPU ms/order', 'CA trips/order', 'p50 ms', 'p95 ms', 'max ms'], rows),
    '',
    'What the whole product and what it runs on take of the CPU:',
    '',
    table(['process', 'ms/order'], Object.entries(cpuMsPerOrder)),
    '',
    'What the main thread of our gateway in a bare loop is busy with, by V8’s sampling profiler, in a round of its own:',
    '',
    table(['', 'ms/order'], Object.entries(gatewayProfile)),
  ].join('\n');
}
