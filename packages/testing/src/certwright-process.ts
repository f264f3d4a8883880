import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port';
import { killWithParent } from './kill-with-parent';

const ROOT = path.resolve(__dirname, '../../..');
const READY_TIMEOUT_MS = 30_000;
/** The processes promise to be gone within 25 s of SIGTERM. */
const STOP_TIMEOUT_MS = 27_000;

export type CertwrightRole = 'api' | 'worker' | 'nameserver';

export interface CertwrightProcess {
  role: CertwrightRole;
  pid: number;
  /** Of the API, or of the health server of any other. */
  url: string;
  /** Everything it has printed. */
  output(): string;
  /** Resolves, never rejects, when it has ended: its exit code, or null after a signal. */
  exited: Promise<number | null>;
  /** Resolves when `/readyz` says so. @throws Error with the last lines of its log when it ends before or takes 30 s. */
  ready(): Promise<void>;
  /** SIGTERM, then SIGKILL if it breaks its promise. Returns the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: what a crash looks like from outside. */
  kill(): Promise<void>;
}

/**
 * Starts a built process (`apps/<role>/dist/main.js`) with `env` as its whole environment besides PATH. It ends with
 * this process, however this process ends.
 */
export async function startCertwright(
  role: CertwrightRole,
  env: Record<string, string>,
  { port, logFile }: { port?: number; logFile?: string } = {},
): Promise<CertwrightProcess> {
  const chosen = port ?? (await freePort());
  const child = spawn(process.execPath, [path.join(ROOT, 'apps', role, 'dist/main.js')], {
    env: { PATH: process.env.PATH ?? '', ...env, [role === 'api' ? 'PORT' : 'HEALTH_PORT']: String(chosen) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for the parent to handle
  });
  if (child.pid === undefined) throw new Error(`the ${role} process could not be started`);
  const guard = killWithParent(child.pid);
  const output = collect(child, logFile);
  let over = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      over = true;
      guard.release();
      resolve(code);
    });
  });
  const url = `http://127.0.0.1:${chosen}`;

  return {
    role,
    pid: child.pid,
    url,
    output,
    exited,
    async ready() {
      const giveUpAt = performance.now() + READY_TIMEOUT_MS;
      while (!over && performance.now() < giveUpAt) {
        if (await answersOk(`${url}/readyz`)) return;
        await sleep(50);
      }
      throw new Error(`the ${role} ${over ? 'ended before it was' : 'did not get'} ready:\n${tail(output())}`);
    },
    async stop() {
      if (!over) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    async kill() {
      if (!over) child.kill('SIGKILL');
      await exited;
    },
  };
}

function collect(child: ChildProcess, logFile: string | undefined): () => string {
  const chunks: string[] = [];
  const file = logFile === undefined ? null : createWriteStream(logFile);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      if (file) file.write(chunk);
      else chunks.push(chunk);
      // With a log file only the end is kept, for error messages.
      if (file && chunks.push(chunk) > 50) chunks.shift();
    });
  }
  child.once('close', () => file?.end());
  return () => chunks.join('');
}

const tail = (text: string): string => text.trim().split('\n').slice(-15).join('\n');

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false; // not listening yet
  }
}
