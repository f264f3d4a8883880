import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port';
import { killWithParent } from './kill-with-parent';
import { isOpenToAll, isRoot, NOBODY, postgresBinaries } from './postgres-binaries';

const USER = 'certwright';
/** It listens on loopback only and holds nothing but a demo's or a test's data. */
const PASSWORD = 'certwright';
const STOP_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 20_000;
const STILL_IN_USE = 'is still in use';

export interface PostgresServer {
  url(database?: string): string;
  port: number;
  pid: number;
  /** Resolves when it has ended, for whatever reason. */
  exited: Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Made by initdb when it is empty; kept at the end. */
  dataDir: string;
  port?: number;
  /** Settings as on postgres's command line, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
}

/**
 * Starts the embedded PostgreSQL on 127.0.0.1 and resolves when it takes connections. One that an earlier, killed run left
 * on the same data is stopped first. It ends with this process, however this process ends.
 */
export async function startPostgres({ dataDir, port: wanted, settings = {} }: PostgresOptions): Promise<PostgresServer> {
  const bin = postgresBinaries();
  const folder = usableFolder(dataDir);
  await stopLeftover(folder);
  if (!existsSync(path.join(folder, 'PG_VERSION'))) initialise(bin, folder);
  const port = wanted ?? (await freePort());
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', timezone: 'UTC', ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const program = path.join(bin, 'postgres');
  const giveUpAt = performance.now() + STOP_TIMEOUT_MS;
  for (;;) {
    const server = launch(program, ['-D', folder, '-p', String(port), ...options]);
    const failure = await untilReady(server);
    if (failure === null) {
      const url = (database = 'postgres'): string => `postgresql://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
      return { url, port, pid: server.pid, exited: server.exited, stop: server.stop };
    }
    await server.stop();
    // The sessions of a server that was killed outlive it for a moment, and no other one may touch the data until then.
    if (!failure.includes(STILL_IN_USE) || performance.now() > giveUpAt) throw new Error(failure);
    await sleep(100);
  }
}

interface Launched {
  child: ChildProcess;
  pid: number;
  exited: Promise<void>;
  stop(): Promise<void>;
}

function launch(program: string, args: string[]): Launched {
  const child = spawn(program, args, {
    ...identity(),
    cwd: '/',
    env: environment(),
    detached: true, // Ctrl-C is for the parent to handle
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.on('error', () => undefined); // without a process id, the next line says it
  if (child.pid === undefined) throw new Error(`PostgreSQL could not be started: ${program}`);
  const guard = killWithParent(child.pid);
  let over = false;
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => {
      over = true;
      guard.release();
      resolve();
    });
  });
  return {
    child,
    pid: child.pid,
    exited,
    async stop() {
      if (over) return;
      child.kill('SIGINT'); // "fast": ends open sessions
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

const identity = (): { uid?: number; gid?: number } => (isRoot() ? { uid: NOBODY, gid: NOBODY } : {});
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, LC_ALL: 'C', TZ: 'UTC' });

/** As root, PostgreSQL runs as nobody: the data must be where nobody can go. */
function usableFolder(dataDir: string): string {
  mkdirSync(path.dirname(dataDir), { recursive: true });
  if (!isRoot()) return dataDir;
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const folder = isOpenToAll(path.dirname(dataDir)) ? dataDir : path.join('/var/tmp', `certwright-postgres-${hash}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, NOBODY, NOBODY);
  return folder;
}

function initialise(bin: string, folder: string): void {
  const passwordFile = path.join(tmpdir(), `certwright-pg-${randomBytes(6).toString('hex')}`);
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  if (isRoot()) chownSync(passwordFile, NOBODY, NOBODY);
  const args = ['-D', folder, '-U', USER, '--pwfile', passwordFile, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const { status, stdout, stderr } = spawnSync(path.join(bin, 'initdb'), args, {
    ...identity(),
    cwd: '/',
    env: environment(),
    encoding: 'utf8',
  });
  rmSync(passwordFile);
  if (status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  throw new Error(`initdb failed:\n${stdout}${stderr}`);
}

/** The first line of postmaster.pid is the server's process id; the file goes when the server has ended in order. */
async function stopLeftover(folder: string): Promise<void> {
  const pidFile = path.join(folder, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  if (!serves(pid, folder)) {
    // PostgreSQL refuses while any process has that id, and clears up by itself when none has.
    if (argumentsOf(pid) !== '') rmSync(pidFile);
    return;
  }
  process.kill(pid, 'SIGINT');
  if (await hasEnded(pid, folder)) return;
  process.kill(pid, 'SIGKILL');
  if (!(await hasEnded(pid, folder))) throw new Error(`PostgreSQL of an earlier run (process ${pid}) does not end`);
}

async function hasEnded(pid: number, folder: string): Promise<boolean> {
  for (const end = performance.now() + STOP_TIMEOUT_MS; performance.now() < end; await sleep(50)) {
    if (!serves(pid, folder)) return true;
  }
  return false;
}

/** Whether this process is the server of this very folder: the id alone may be somebody else's by now. */
function serves(pid: number, folder: string): boolean {
  const args = argumentsOf(pid);
  return args.includes('postgres') && args.includes(folder);
}

/** Empty when there is no such process (any more). */
function argumentsOf(pid: number): string {
  if (process.platform !== 'linux') return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8'); // a slim container has no ps
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

/** Null when it takes connections, else what went wrong. */
async function untilReady({ child, exited }: Launched): Promise<string | null> {
  let log = '';
  const ready = new Promise<'ready'>((resolve) => {
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-4_000);
      if (log.includes('ready to accept connections')) resolve('ready');
    });
  });
  const timer = new AbortController();
  const late = sleep(START_TIMEOUT_MS, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  const result = await Promise.race([ready, exited.then(() => 'ended' as const), late]);
  timer.abort();
  if (result === 'ready') return null;
  return `PostgreSQL ${result === 'late' ? `was not ready after ${START_TIMEOUT_MS / 1000} s` : 'ended while starting'}:\n${log}`;
}

/** A fresh folder that PostgreSQL's user can enter. */
export function openFolder(folder: string): string {
  chmodSync(folder, 0o755);
  return folder;
}
