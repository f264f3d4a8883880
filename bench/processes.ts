import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what the kernel tells times in, the same on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  parent: number;
  /** User and system. */
  ownMs: number;
  /** Of children that have ended and were waited for. */
  endedChildrenMs: number;
}

/** Null where there is no /proc, and for a process that is gone. */
function timesOf(pid: number): ProcessTimes | null {
  const text = readProc(pid, 'stat');
  if (text === null) return null;
  // The second field is the program's name in brackets, which may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
  const ms = (from: number): number => (((fields[from] ?? 0) + (fields[from + 1] ?? 0)) * 1000) / TICKS_PER_SECOND;
  return { parent: fields[1] ?? 0, ownMs: ms(11), endedChildrenMs: ms(13) };
}

export const cpuMsOf = (pid: number): number | null => timesOf(pid)?.ownMs ?? null;

/** A server that has a process for each connection, as PostgreSQL does. */
export function cpuMsOfFamily(pid: number): number | null {
  const parent = timesOf(pid);
  if (parent === null) return null;
  const children = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => timesOf(Number(entry)))
    .filter((times) => times?.parent === pid);
  return children.reduce((sum, times) => sum + (times?.ownMs ?? 0), parent.ownMs + parent.endedChildrenMs);
}

export const parentOf = (pid: number): number | null => timesOf(pid)?.parent ?? null;

export function rssMbOf(pid: number): number | null {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(pid, 'status') ?? '')?.[1];
  return kilobytes === undefined ? null : Math.round(Number(kilobytes) / 1024);
}

/** Null as soon as one of them is not known. */
export const sumKnown = (values: (number | null)[]): number | null =>
  values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null; // another system than Linux, or it has just ended
  }
}
