import type { Stack } from '@certwright/testing';
import { type Redis } from 'ioredis';
import type { Client } from 'pg';
import { cpuMsOf, cpuMsOfFamily, parentOf, rssMbOf } from './processes';

export interface Usage {
  second: number;
  workerRssMb: (number | null)[];
  redisUsedMb: number;
}

export async function readUsage(stack: Stack, redis: Redis, second: number): Promise<Usage> {
  const bytes = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1];
  return {
    second: Math.round(second),
    workerRssMb: stack.workers.map(({ pid }) => rssMbOf(pid)),
    redisUsedMb: Math.round(Number(bytes) / 1024 / 1024),
  };
}

/** How to read what every process has used so far. */
export async function cpuReader(stack: Stack, client: Client): Promise<() => Map<string, number | null>> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postgres = parentOf(rows[0]?.pid ?? 0);
  return () =>
    new Map([
      ...stack.workers.map(({ pid }, index) => [`worker ${index + 1}`, cpuMsOf(pid)] as const),
      ['api', cpuMsOf(stack.apiProcess.pid)] as const,
      ['postgres', postgres === null ? null : cpuMsOfFamily(postgres)] as const,
      ['redis', cpuMsOf(stack.redis?.pid ?? 0)] as const,
      ['name server and measuring', cpuMsOf(process.pid)] as const,
    ]);
}

/** In per cent of one core. */
export function cpuShares(
  before: Map<string, number | null>,
  after: Map<string, number | null>,
  wallMs: number,
): Record<string, number | null> {
  const share = (name: string, to: number | null): number | null => {
    const from = before.get(name) ?? null;
    return from === null || to === null ? null : Math.round(((to - from) / wallMs) * 100);
  };
  return Object.fromEntries([...after].map(([name, to]) => [name, share(name, to)]));
}
