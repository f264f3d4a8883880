import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
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
  stop(): Promise<void>;
}

/** Starts redis-server (or valkey-server) on 127.0.0.1, in memory only, `noeviction`. It ends with this process. */
export async function startRedis(): Promise<RedisServer> {
  const tool = findRedis();
  const port = await freePort();
  const dir = mkdtempSync(path.join(tmpdir(), 'certwright-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction', '--dir', dir];
  const child = spawn(tool.executable, args, { env: { ...process.env, ...tool.env }, stdio: 'ignore', detached: true });
  if (child.pid === undefined) throw new Error(`${tool.executable} could not be started`);
  const guard = killWithParent(child.pid);
  child.once('exit', () => guard.release());
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  let lastError: Error | null = null;
  client.on('error', (error: Error) => (lastError = error));
  const timer = setTimeout(() => client.disconnect(), START_TIMEOUT_MS);
  try {
    await client.ping();
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`Redis did not start: ${String(lastError)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    async flushAll() {
      await client.flushall();
    },
    dump: () => dump(client),
    async stop() {
      client.disconnect();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(dir, { recursive: true, force: true });
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
