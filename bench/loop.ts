import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { NameServers } from '@certwright/testing';
import type { Spread } from './measure';

const TIMEOUT_MS = 120_000;

export interface LoopOrder {
  way: 'acme-client' | 'gateway';
  directoryUrl: string;
  caFile: string;
  orders: number;
  warmUp: number;
  /** Orders at once. */
  width: number;
}

export interface LoopResult {
  seconds: number;
  cpuMs: number;
  roundTrips: number;
  latencyMs: Spread;
  failures: string[];
}

export type LoopRequest = { kind: 'publish'; name: string; value: string } | ({ kind: 'result' } & LoopResult);

export interface LoopReply {
  published: string;
}

/** One way, in a bare loop, in a process of its own. @throws Error when that ends without a result */
export async function runLoop(order: LoopOrder, dns: NameServers): Promise<LoopResult> {
  const child = fork(path.join(__dirname, 'loop-process.ts'), [JSON.stringify(order)], {
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let result: LoopResult | null = null;
  child.on('message', (message: LoopRequest) => {
    if (message.kind === 'result') {
      result = message;
      return;
    }
    dns.setTxt(message.name, [message.value]);
    child.send({ published: message.name } satisfies LoopReply);
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (result === null) throw new Error(`the loop over ${order.way} ended without a result (${code ?? signal})`);
  return result;
}
