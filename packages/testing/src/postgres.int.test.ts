import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { openFolder, type PostgresServer, startPostgres } from './postgres';

const START_MS = 30_000;

describe('startPostgres', () => {
  let folder: string;
  let dataDir: string;
  const servers: PostgresServer[] = [];
  const start = async (): Promise<PostgresServer> => {
    const server = await startPostgres({ dataDir, settings: { fsync: 'off' } });
    servers.push(server);
    return server;
  };
  beforeAll(() => {
    folder = openFolder(mkdtempSync(path.join(tmpdir(), 'certwright-postgres-')));
    dataDir = path.join(folder, 'data');
  });
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function ask(server: PostgresServer, sql: string): Promise<unknown[]> {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  it('comes back with its data right after it was killed in the middle of a session', async () => {
    const first = await start();
    await ask(first, 'CREATE TABLE kept AS SELECT 1 AS one');
    const client = new Client({ connectionString: first.url() });
    client.on('error', () => undefined); // it loses its server below
    await client.connect();
    const cutOff = expect(client.query('SELECT pg_sleep(30)')).rejects.toThrow();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start();
    expect(await ask(second, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    await cutOff;
    await client.end();
  }, START_MS);

  it('stops the server that still runs on the same data', async () => {
    const first = await start();
    const second = await start();
    await first.exited;
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }, START_MS);

  it('leaves a stranger alone that got the process id of an earlier server', async () => {
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    writeFileSync(path.join(dataDir, 'postmaster.pid'), `${stranger.pid}\n${dataDir}\n`);
    expect(await ask(await start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    stranger.kill();
    await once(stranger, 'exit');
  }, START_MS);

  it('says what PostgreSQL said when it does not start', async () => {
    const refused = startPostgres({ dataDir, settings: { shared_buffers: 'plenty' } });
    await expect(refused).rejects.toThrow(/ended while starting[^]*shared_buffers/);
    expect(existsSync(path.join(dataDir, 'postmaster.pid'))).toBe(false);
  });
});
