import type { CpuMs } from '../stack-cpu';
import type { Profile } from './profile';

/** What one way made of one round of orders. */
export interface Round {
  orders: number;
  seconds: number;
  /** By process, of the whole round. */
  cpuMs: CpuMs;
  latenciesMs: number[];
  /** HTTP exchanges with the CA; null: not counted, as what counts them would cost time. */
  roundTrips: number | null;
  /** Null where it isn't watched: watching costs time. */
  profile: Profile | null;
  /** Orders that ended without a certificate, with why. */
  failures: string[];
}

/** One way of issuing, ready for one round after the other. */
export interface Runner {
  /** Names of two rounds differ by `label`. @throws Error when the CA, or anything else, does not answer */
  round(label: string, orders: number): Promise<Round>;
  stop(): Promise<void>;
}

/** The test CA locks up now and then when it is sent many orders at once: then a way starts anew, at most so often in a row. */
const STARTS = 5;

/** A way that is started when it is first needed, and again, with the round repeated, when one throws; `repeated` says why. */
export function lasting(what: string, start: () => Promise<Runner>): Runner & { repeated: string[] } {
  const repeated: string[] = [];
  let running: Runner | null = null;
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = null;
    await stopping?.stop();
  };
  return {
    repeated,
    stop,
    async round(label, orders) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          running ??= await start();
          return await running.round(attempt === 1 ? label : `${label}again${attempt}`, orders);
        } catch (error) {
          await stop();
          if (attempt === STARTS) throw error;
          repeated.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
          console.log(`repeated: ${repeated.at(-1)}`);
        }
      }
    },
  };
}

/** `rounds` rounds of each, in turns: what the machine does besides hits all of them alike. */
export async function inTurns(runners: (Runner & { orders: number })[], rounds: number): Promise<Round[][]> {
  const results: Round[][] = runners.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, runner] of runners.entries()) results[index]?.push(await runner.round(`r${round}n`, runner.orders));
  }
  return results;
}
