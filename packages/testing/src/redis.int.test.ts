import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from './redis';

async function withClient<T>({ url }: RedisServer, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  client.on('error', () => undefined); // what a command rejects with is what counts
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe('startRedis', () => {
  let dir: string;
  const servers: RedisServer[] = [];
  const start = async (options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'certwright-redis-test-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(dir, { recursive: true });
  });

  it('with an append-only file has everything again after a crash, where it was', async () => {
    const first = await start({ dir, appendonly: true });
    await withClient(first, (client) => client.set('order', '1'));
    await first.kill();
    const second = await start({ dir, appendonly: true, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await withClient(second, (client) => client.get('order'))).toBe('1');
  });

  it('in memory only has nothing again after a crash', async () => {
    const first = await start({ dir });
    await withClient(first, (client) => client.set('order', '1'));
    await first.kill();
    expect(await withClient(await start({ dir }), (client) => client.get('order'))).toBeNull();
  });

  it('forgets everything at flushAll, and refuses writes instead of evicting keys', async () => {
    const server = await start();
    await withClient(server, async (client) => {
      await client.set('order', '1');
      await server.flushAll();
      expect(await client.keys('*')).toEqual([]);
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    });
  });
});
