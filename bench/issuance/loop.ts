import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type NameServers, startAcmeCa, startNameServers } from '@certwright/testing';
import type { Profile } from './profile';
import type { Round, Runner } from './rounds';

const ROUND_TIMEOUT_MS = 120_000;

export interface LoopSettings {
  way: 'acme-client' | 'gateway';
  directoryUrl: string;
  caFile: string;
  /** Orders at once. */
  width: number;
  isProfiled: boolean;
}

export interface LoopRound {
  label: string;
  orders: number;
}

export interface LoopResult {
  seconds: number;
  cpuMs: number;
  roundTrips: number;
  latenciesMs: number[];
  failures: string[];
  profile: Profile | null;
}

export type FromLoop = { kind: 'publish'; name: string; value: string } | ({ kind: 'result' } & LoopResult);
export type ToLoop = { kind: 'published'; name: string } | ({ kind: 'round' } & LoopRound);

/** One way in a bare loop, in a process of its own, at a test CA of its own, as the whole product has one. */
export async function startLoop(
  way: LoopSettings['way'],
  { width, warmUp, isProfiled = false }: { width: number; warmUp: number; isProfiled?: boolean },
): Promise<Runner> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const dns = await startNameServers();
    stops.push(() => dns.close());
    dns.addZone('customer.test');
    const { directoryUrl, caFile, stop: stopCa } = await startAcmeCa({ dnsServer: `127.0.0.1:${dns.port}` });
    stops.push(stopCa);
    const settings: LoopSettings = { way, directoryUrl, caFile, width, isProfiled };
    const child = fork(path.join(__dirname, 'loop-process.ts'), [JSON.stringify(settings)]);
    stops.push(() => ended(child));
    await runRound(child, dns, { label: 'warm', orders: warmUp });
    return {
      stop,
      async round(label, orders): Promise<Round> {
        const { cpuMs, ...result } = await runRound(child, dns, { label, orders });
        return { ...result, orders, cpuMs: new Map([[way, cpuMs]]) };
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws Error with the first failure, or when the loop's process ends or is not through in time */
async function runRound(child: ChildProcess, dns: NameServers, round: LoopRound): Promise<LoopResult> {
  const over = new AbortController();
  const tell = (message: ToLoop): void => void child.send(message);
  try {
    const result = await new Promise<LoopResult>((resolve, reject) => {
      const onMessage = (message: FromLoop): void => {
        if (message.kind === 'result') return resolve(message);
        dns.setTxt(message.name, [message.value]);
        tell({ kind: 'published', name: message.name });
      };
      const onExit = (code: number | null, signal: string | null): void => reject(new Error(`the loop ended (${code ?? signal})`));
      const timer = setTimeout(() => reject(new Error(`the loop was not through in ${ROUND_TIMEOUT_MS / 1000} s`)), ROUND_TIMEOUT_MS);
      child.on('message', onMessage).on('exit', onExit);
      over.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
      });
      tell({ kind: 'round', ...round });
    });
    if (result.failures[0] !== undefined) throw new Error(result.failures[0]);
    return result;
  } finally {
    over.abort();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
