import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '@certwright/db';
import { migrateQueueSchema } from '@certwright/jobs';
import { Client } from 'pg';
import { openFolder, type PostgresServer, startPostgres } from './postgres';

export interface OwnPostgres {
  /** Of the database. */
  url: string;
  server(): PostgresServer;
  /** At the same address, on the same data, again. */
  restart(): Promise<PostgresServer>;
  stop(): Promise<void>;
}

/** A PostgreSQL for one test alone, with the product's tables: it may be stopped and killed. */
export async function openOwnPostgres(): Promise<OwnPostgres> {
  const folder = openFolder(mkdtempSync(path.join(tmpdir(), 'certwright-own-')));
  const options = { dataDir: path.join(folder, 'data'), settings: { fsync: 'off', max_connections: '200' } };
  let server = await startPostgres(options);
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await client.query('CREATE DATABASE certwright');
    await client.end();
    const url = server.url('certwright');
    await migrate(url);
    await migrateQueueSchema(url);
    return { url, server: () => server, restart: async () => (server = await startPostgres({ ...options, port: server.port })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
