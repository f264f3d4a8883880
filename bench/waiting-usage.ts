import type { Stack } from '@certwright/testing';
import { type Redis } from 'ioredis';
import { rssMbOf } from './processes';

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
