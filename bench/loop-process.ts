// Runs one way in a process of its own, so that the CPU it is charged for is its own; started by loop.ts.
import { inLanes } from './lanes';
import type { LoopOrder, LoopReply, LoopRequest } from './loop';
import { spreadOf } from './measure';
import type { Way, WaySettings } from './way';
import { acmeClientWay } from './way-acme-client';
import { gatewayWay } from './way-gateway';

const WAYS: Record<LoopOrder['way'], (settings: WaySettings) => Promise<Way>> = {
  'acme-client': acmeClientWay,
  gateway: gatewayWay,
};

const waiting = new Map<string, () => void>();
const tell = (message: LoopRequest): void => void process.send?.(message);

process.on('message', ({ published }: LoopReply) => {
  waiting.get(published)?.();
  waiting.delete(published);
});

const publish = (name: string, value: string): Promise<void> =>
  new Promise((resolve) => {
    waiting.set(name, resolve);
    tell({ kind: 'publish', name, value });
  });

async function run(order: LoopOrder): Promise<void> {
  const way = await WAYS[order.way]({ ...order, publish });
  const failures: string[] = [];
  const issueAll = (label: string, count: number): Promise<number[]> => {
    const names = Array.from({ length: count }, (_, index) => `${order.way}-${label}${index}.customer.test`);
    return inLanes(names, order.width, async (name) => {
      const startedAt = performance.now();
      // After a failure the run is of no use any more.
      if (failures.length === 0) await way.issue(name).catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
      return performance.now() - startedAt;
    });
  };
  await issueAll('warm', order.warmUp);
  const cpu = process.cpuUsage();
  const trips = way.roundTrips();
  const startedAt = performance.now();
  const durations = await issueAll('n', order.orders);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  tell({
    kind: 'result',
    seconds,
    cpuMs: (user + system) / 1000,
    roundTrips: way.roundTrips() - trips,
    latencyMs: spreadOf(durations),
    failures,
  });
  way.close();
  process.disconnect();
}

void run(JSON.parse(process.argv[2] ?? '') as LoopOrder);
