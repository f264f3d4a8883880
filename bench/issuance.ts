import { startAcmeCa, startNameServers } from '@certwright/testing';
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
  const orders = short ? 60 : Number(process.env.ORD ?? 300);
  const loops = await runLoops(orders);
  const pipeline = await runPipeline({ orders, warmUp: WARM_UP, width: WIDTH, workers: WORKERS });
  const base = orders / loops.stock.seconds;
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
      ofLoop('acme-client, bare loop', loops.stock),
      ofLoop('our gateway, bare loop', loops.ours),
      way('the whole product', pipeline.seconds, sumKnown(own.map(([, ms]) => ms)), pipeline.roundTripsPerOrder, pipeline.latencyMs),
    ],
    cpuMsPerOrder,
    failures: [...loops.stock.failures, ...loops.ours.failures, ...pipeline.failures],
  };
}

async function runLoops(orders: number): Promise<{ stock: LoopResult; ours: LoopResult }> {
  const dns = await startNameServers();
  try {
    dns.addZone('customer.test');
    const ca = await startAcmeCa({ dnsServer: `127.0.0.1:${dns.port}` });
    try {
      const loop = (way: LoopOrder['way']): Promise<LoopResult> =>
        runLoop({ way, directoryUrl: ca.directoryUrl, caFile: ca.caFile, orders, warmUp: WARM_UP, width: WIDTH }, dns);
      return { stock: await loop('acme-client'), ours: await loop('gateway') };
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
    `Issuance: ${orders} orders of one name, ${width} at once, both loops at one test CA, the product (${workers} workers) at its own`,
    '',
    table(['', 'orders/s', 'ratio', 'CPU ms/order', 'CA trips/order', 'p50 ms', 'p95 ms', 'max ms'], rows),
    '',
    'What the whole product and what it runs on take of the CPU:',
    '',
    table(['process', 'ms/order'], Object.entries(cpuMsPerOrder)),
  ].join('\n');
}
