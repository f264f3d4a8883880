import { round, type Spread, spreadOf, table } from '../measure';
import { sumKnown } from '../processes';
import { startLoop } from './loop';
import { countRoundTrips, startPipeline } from './pipeline';
import type { Profile } from './profile';
import { inTurns, lasting, type Round } from './rounds';

const WIDTH = 16;
const WORKERS = 2;
/** Of a service that runs for weeks the first seconds, before V8 has compiled it, say little: as many orders go before the first round. */
const FULL = { rounds: 3, orders: 1_000, ofGateway: 300 };
const SHORT = { rounds: 3, orders: 30, ofGateway: 30 };

export interface IssuanceWay {
  way: string;
  ordersPerSecond: number;
  /** To the stock library's rate of the same round: median, least and most of all rounds. */
  ratio: { median: number; least: number; most: number };
  /** Of its own processes. */
  cpuMsPerOrder: number | null;
  roundTripsPerOrder: number;
  latencyMs: Spread;
}

export interface Issuance {
  rounds: number;
  orders: number;
  /** In a bare loop over our gateway: that one is so fast that the test CA locks up sooner or later. */
  ofGateway: number;
  width: number;
  workers: number;
  ways: IssuanceWay[];
  /** Of the whole product's rounds, by process. */
  cpuMsPerOrder: Record<string, number | null>;
  /** Of our gateway in a bare loop, in a round of its own, in milliseconds an order. */
  gatewayProfile: Profile;
  /** Rounds that were begun anew, and why: most often the test CA had locked up. */
  repeated: string[];
  failures: string[];
}

/** The same orders through the stock library, our gateway, and the whole product, in turns. */
export async function benchIssuance({ short }: { short: boolean }): Promise<Issuance> {
  const { rounds, orders, ofGateway } = short ? SHORT : FULL;
  const pipeline = { warmUp: orders, width: WIDTH, workers: WORKERS };
  const runners = [
    { ...lasting('the loop over acme-client', () => startLoop('acme-client', { width: WIDTH, warmUp: orders })), orders },
    { ...lasting('the loop over our gateway', () => startLoop('gateway', { width: WIDTH, warmUp: ofGateway })), orders: ofGateway },
    { ...lasting('the whole product', () => startPipeline(pipeline)), orders },
  ];
  let results: Round[][];
  try {
    results = await inTurns(runners, rounds);
  } finally {
    for (const runner of runners) await runner.stop();
  }
  const [stock = [], gateway = [], product = []] = results;
  const trips = await countRoundTrips(pipeline);
  const wayOf = (way: string, of: Round[], roundTripsPerOrder: number, isOwn: (process: string) => boolean): IssuanceWay => {
    const ratios = of.map((one, index) => rateOf([one]) / rateOf(stock.slice(index, index + 1))).sort((a, b) => a - b);
    const at = (index: number): number => round(ratios[index] ?? NaN, 2);
    return {
      way,
      ordersPerSecond: round(rateOf(of), 1),
      ratio: { median: at(Math.floor(rounds / 2)), least: at(0), most: at(rounds - 1) },
      cpuMsPerOrder: rounded(sumKnown(Object.entries(cpuPerOrder(of)).filter(([name]) => isOwn(name)).map(([, ms]) => ms))),
      roundTripsPerOrder: round(roundTripsPerOrder, 1),
      latencyMs: spreadOf(of.flatMap(({ latenciesMs }) => latenciesMs)),
    };
  };
  const counted = (of: Round[]): number => sumOf(of.map(({ roundTrips }) => roundTrips ?? NaN)) / ordersOf(of);
  const cpuMsPerOrder = cpuPerOrder(product);
  return {
    rounds,
    orders,
    ofGateway,
    width: WIDTH,
    workers: WORKERS,
    ways: [
      wayOf('acme-client, bare loop', stock, counted(stock), () => true),
      wayOf('our gateway, bare loop', gateway, counted(gateway), () => true),
      wayOf('the whole product', product, trips, (name) => /^(api|worker)/.test(name)),
    ],
    cpuMsPerOrder: Object.fromEntries(Object.entries(cpuMsPerOrder).map(([name, ms]) => [name, rounded(ms)])),
    gatewayProfile: await profileGateway(ofGateway),
    repeated: runners.flatMap((runner) => runner.repeated),
    failures: product.flatMap(({ failures }) => failures),
  };
}

const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
const ordersOf = (rounds: Round[]): number => sumOf(rounds.map(({ orders }) => orders));
const rateOf = (rounds: Round[]): number => ordersOf(rounds) / sumOf(rounds.map(({ seconds }) => seconds));
const rounded = (ms: number | null): number | null => (ms === null ? null : round(ms, 1));

function cpuPerOrder(rounds: Round[]): Record<string, number | null> {
  const names = [...(rounds[0]?.cpuMs.keys() ?? [])];
  const perOrder = (ms: number | null): number | null => (ms === null ? null : ms / ordersOf(rounds));
  return Object.fromEntries(names.map((name) => [name, perOrder(sumKnown(rounds.map(({ cpuMs }) => cpuMs.get(name) ?? null)))]));
}

/** In a round of its own, as watching costs time. */
async function profileGateway(orders: number): Promise<Profile> {
  const watched = lasting('the loop over our gateway', () => startLoop('gateway', { width: WIDTH, warmUp: orders, isProfiled: true }));
  try {
    const { profile } = await watched.round('p', orders);
    return Object.fromEntries(Object.entries(profile ?? {}).map(([what, ms]) => [what, round(ms / orders, 2)]));
  } finally {
    await watched.stop();
  }
}

export function describeIssuance({ rounds, orders, ofGateway, width, workers, ways, cpuMsPerOrder, gatewayProfile, repeated }: Issuance): string {
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
    `Issuance: ${rounds} rounds of ${orders} orders of one name (${ofGateway} in the loop over our gateway), the ways in turns, each at a test CA of its own,`,
    `  after as many orders that are not counted. In the loops ${width} orders are under way at once; the product has ${workers} workers and ${width} clients,`,
    `  each of which asks for the next certificate once it has published a value. Rounds begun anew: ${repeated.length}.`,
    '',
    table(['', 'orders/s', 'ratio', 'of all rounds', 'own CPU ms/order', 'CA trips/order', 'p50 ms', 'p95 ms', 'max ms'], rows),
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
