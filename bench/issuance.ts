import { startAcmeCa, startNameServers } from '@certwright/testing';
import { again } from './lanes';
import { type LoopOrder, type LoopResult, runLoop } from './loop';
import { round, type Spread, table } from './measure';
import { runPipeline } from './pipeline';
import { sumKnown } from './processes';

const WIDTH = 16;
const WARM_UP = 32;
const WORKERS = 2;

export interface IssuanceWay {
  way: string;
  ordersPerSecond: number;
  ratio: number;
  cpuMsPerOrder: number | null;
  roundTripsPerOrder: number;
  latencyMs: Spread;
}

export interface Issuance {
  orders: number;
  width: number;
  workers: number;
  ways: IssuanceWay[];
  /** Of the whole product's run, by process. */
  cpuMsPerOrder: Record<string, number | null>;
  failures: string[];
}

/** The same orders through the stock library, our gateway, and the whole product. */
export async function benchIssuance({ short }: { short: boolean }): Promise<Issuance> {
  const orders = short ? 60 : 1_000;
  const stock = await again('the loop over acme-client', () => runBareLoop('acme-client', orders));
  const ours = await again('the loop over our gateway', () => runBareLoop('gateway', orders));
  const pipeline = await again('the whole product', () => runPipeline({ orders, warmUp: WARM_UP, width: WIDTH, workers: WORKERS }));
  const base = orders / stock.seconds;
  const way = (name: string, seconds: number, cpuMsPerOrder: number | null, trips: number, latencyMs: Spread): IssuanceWay => ({
    way: name,
    ordersPerSecond: round(orders / seconds, 1),
    ratio: round(orders / seconds / base, 2),
    cpuMsPerOrder: cpuMsPerOrder === null ? null : round(cpuMsPerOrder, 1),
    roundTripsPerOrder: round(trips, 1),
    latencyMs,
  });
  const ofLoop = (name: string, { seconds, cpuMs, roundTrips, latencyMs }: LoopResult): IssuanceWay =>
    way(name, seconds, cpuMs / orders, roundTrips / orders, latencyMs);
  const { cpuMsPerOrder } = pipeline;
  const own = Object.entries(cpuMsPerOrder).filter(([name]) => /^(api|worker)/.test(name));
  return {
    orders,
    width: WIDTH,
    workers: WORKERS,
    ways: [
      ofLoop('acme-client, bare loop', stock),
      ofLoop('our gateway, bare loop', ours),
      way('the whole product', pipeline.seconds, sumKnown(own.map(([, ms]) => ms)), pipeline.roundTripsPerOrder, pipeline.latencyMs),
    ],
    cpuMsPerOrder,
    failures: pipeline.failures,
  };
}

/** One way in a bare loop, at a test CA of its own, as the whole product has one of its own. */
async function runBareLoop(way: LoopOrder['way'], orders: number): Promise<LoopResult> {
  const dns = await startNameServers();
  try {
    dns.addZone('customer.test');
    const ca = await startAcmeCa({ dnsServer: `127.0.0.1:${dns.port}` });
    try {
      const { directoryUrl, caFile } = ca;
      const result = await runLoop({ way, directoryUrl, caFile, orders, warmUp: WARM_UP, width: WIDTH }, dns);
      if (result.failures[0] !== undefined) throw new Error(result.failures[0]);
      return result;
    } finally {
      await ca.stop();
    }
  } finally {
    await dns.close();
  }
}

export function describeIssuance({ orders, width, workers, ways, cpuMsPerOrder }: Issuance): string {
  const rows = ways.map(({ way, ordersPerSecond, ratio, cpuMsPerOrder, roundTripsPerOrder, latencyMs }) => [
    way,
    ordersPerSecond,
    ratio,
    cpuMsPerOrder,
    roundTripsPerOrder,
    latencyMs.p50,
    latencyMs.p95,
    latencyMs.max,
  ]);
  return [
    `Issuance: ${orders} orders of one name, ${width} at once, each way at a test CA of its own, the product with ${workers} workers`,
    '',
    table(['', 'orders/s', 'ratio', 'CPU ms/order', 'CA trips/order', 'p50 ms', 'p95 ms', 'max ms'], rows),
    '',
    'What the whole product and what it runs on take of the CPU:',
    '',
    table(['process', 'ms/order'], Object.entries(cpuMsPerOrder)),
  ].join('\n');
}
