import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate } from '@certwright/db';
import { migrateQueueSchema } from '@certwright/jobs';
import { Client } from 'pg';
import { TEMPLATE } from './database';
import { openFolder, startPostgres } from './postgres';

declare global {
  // Handed to the global tear-down, which jest runs in the same process.
  var stopTestPostgres: (() => Promise<void>) | undefined;
}

/** One PostgreSQL for the whole run, with a migrated template that every test file clones. */
export default async function setUp(): Promise<void> {
  if (process.env.CERTWRIGHT_TEST_POSTGRES) return; // the other project of this run was first
  const folder = openFolder(mkdtempSync(path.join(tmpdir(), 'certwright-test-')));
  const postgres = await startPostgres({
    dataDir: path.join(folder, 'data'),
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' },
  });
  globalThis.stopTestPostgres = async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const client = new Client({ connectionString: postgres.url() });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await migrate(postgres.url(TEMPLATE));
  await migrateQueueSchema(postgres.url(TEMPLATE));
  await client.query(`ALTER DATABASE ${TEMPLATE} IS_TEMPLATE true`);
  await client.end();
  process.env.CERTWRIGHT_TEST_POSTGRES = postgres.url('');
}
