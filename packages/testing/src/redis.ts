import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from './find-tool';
import { freePort } from './free-port';
import { killWithParent } from './kill-with-parent';

const START_TIMEOUT_MS = 10_000;

export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  /** Forgets everything, as an operator's slip would. */
  flushAll(): Promise<void>;
  /** All keys with their values, as text. */
  dump(): Promise<string>;
  /** As a crash would, with SIGKILL; what is in its folder stays. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Where an append-only file is kept; created if absent, and kept. Default: temporary. */
  dir?: string;
  /** Whether every write is in the append-only file before it is answered. Default: in memory only. */
  appendonly?: boolean;
  /** For a server that comes back where it was. Default: a free one. */
  port?: number;
}

/**
 * Starts redis-server (or valkey-server) on 127.0.0.1 with `noeviction`. It ends with this process.
 * @throws Error when there is none, or it does not start
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const tool = findRedis();
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? mkdtempSync(path.join(tmpdir(), 'certwright-redis-'));
  const cleanUp = (): void => {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  mkdirSync(dir, { recursive: true });
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction', '--dir', dir];
  if (options.appendonly === true) args.push('--appendonly', 'yes', '--appendfsync', 'always');
  const child = spawn(tool.executable, args, { env: { ...process.env, ...tool.env }, stdio: 'ignore', detached: true });
  child.on('error', () => undefined); // without a process id, the next line says it
  if (child.pid === undefined) throw new Error(`${tool.executable} could not be started`);
  const guard = killWithParent(child.pid);
  const exited = once(child, 'exit').then(() => guard.release());
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  let lastError: Error | null = null;
  client.on('error', (error: Error) => (lastError = error));
  const timer = setTimeout(() => client.disconnect(), START_TIMEOUT_MS);
  try {
    await client.ping();
  } catch (cause) {
    child.kill('SIGKILL');
    await exited;
    cleanUp();
    throw new Error(`Redis did not start: ${String(lastError)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (client.status !== 'end') client.disconnect(); // a second time, its timer would hold the process for 2 s
    child.kill(signal); // does nothing when it has ended already
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    async flushAll() {
      await client.flushall();
    },
    dump: () => dump(client),
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      cleanUp();
    },
  };
}

async function dump(client: Redis): Promise<string> {
  const lines: string[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    const value =
      type === 'hash'
        ? await client.hgetall(key)
        : type === 'string'
          ? await client.get(key)
          : type === 'list'
            ? await client.lrange(key, '0', '-1')
            : type === 'zset'
              ? await client.zrange(key, '0', '-1')
              : type === 'set'
                ? await client.smembers(key)
                : await client.xrange(key, '-', '+');
    lines.push(`${key} ${JSON.stringify(value)}`);
  }
  return lines.join('\n');
}
