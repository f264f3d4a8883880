// Runs one way in a process of its own, so that the CPU it is charged for is its own; started by loop.ts.
import { inLanes } from '../lanes';
import type { FromLoop, LoopResult, LoopRound, LoopSettings, ToLoop } from './loop';
import { profiled } from './profile';
import type { Way, WaySettings } from './way';
import { acmeClientWay } from './way-acme-client';
import { gatewayWay } from './way-gateway';

const WAYS: Record<LoopSettings['way'], (settings: WaySettings) => Promise<Way>> = {
  'acme-client': acmeClientWay,
  gateway: gatewayWay,
};

const settings = JSON.parse(process.argv[2] ?? '') as LoopSettings;
const waiting = new Map<string, () => void>();
const tell = (message: FromLoop): void => void process.send?.(message);

const publish = (name: string, value: string): Promise<void> =>
  new Promise((resolve) => {
    waiting.set(name, resolve);
    tell({ kind: 'publish', name, value });
  });

const way = WAYS[settings.way]({ ...settings, publish });

async function run({ label, orders }: LoopRound): Promise<LoopResult> {
  const { issue, roundTrips } = await way;
  const failures: string[] = [];
  const names = Array.from({ length: orders }, (_, index) => `${label}${index}.customer.test`);
  const issueAll = (): Promise<number[]> =>
    inLanes(names, settings.width, async (name) => {
      const startedAt = performance.now();
      // After a failure the round is of no use any more.
      if (failures.length === 0) await issue(name).catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
      return performance.now() - startedAt;
    });
  const cpu = process.cpuUsage();
  const trips = roundTrips();
  const startedAt = performance.now();
  const { value: latenciesMs, profile } = settings.isProfiled ? await profiled(issueAll) : { value: await issueAll(), profile: null };
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuMs: (user + system) / 1000, roundTrips: roundTrips() - trips, latenciesMs, failures, profile };
}

process.on('message', (message: ToLoop) => {
  if (message.kind === 'round') {
    run(message).then(
      (result) => tell({ kind: 'result', ...result }),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
    return;
  }
  waiting.get(message.name)?.();
  waiting.delete(message.name);
});
