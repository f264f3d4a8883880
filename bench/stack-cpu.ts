import type { Stack } from '@certwright/testing';
import type { Client } from 'pg';
import { round } from './measure';
import { cpuMsOf, cpuMsOfFamily, parentOf } from './processes';

/** Milliseconds by process; null where they can't be told. */
export type CpuMs = Map<string, number | null>;

/** How to read what every process of the stack has used so far. */
export async function cpuReader(stack: Stack, client: Client): Promise<() => CpuMs> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postgres = parentOf(rows[0]?.pid ?? 0);
  return () =>
    new Map([
      ['api', cpuMsOf(stack.apiProcess.pid)],
      ...stack.workers.map(({ pid }, index): [string, number | null] => [`worker ${index + 1}`, cpuMsOf(pid)]),
      ['postgres', postgres === null ? null : cpuMsOfFamily(postgres)],
      ['redis', cpuMsOf(stack.redis?.pid ?? 0)],
      ['test CA', cpuMsOf(stack.ca.pid)],
      ['name server and measuring', cpuMsOf(process.pid)],
    ]);
}

/** What each process used between two readings. */
export function cpuUsed(before: CpuMs, after: CpuMs): CpuMs {
  const used = (name: string, to: number | null): number | null => {
    const from = before.get(name) ?? null;
    return from === null || to === null ? null : to - from;
  };
  return new Map([...after].map(([name, to]) => [name, used(name, to)]));
}

/** What each process used between two readings, per `unit`. */
export const cpuSpent = (before: CpuMs, after: CpuMs, unit: number): Record<string, number | null> =>
  Object.fromEntries([...cpuUsed(before, after)].map(([name, ms]) => [name, ms === null ? null : round(ms / unit, 0)]));
