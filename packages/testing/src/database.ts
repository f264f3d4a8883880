import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** The template that the global set-up has migrated once. */
export const TEMPLATE = 'certwright_template';

/** Base URL of the test run's PostgreSQL, ending in `/`, from the global set-up. */
function serverUrl(): string {
  const url = process.env.CERTWRIGHT_TEST_POSTGRES;
  if (!url) throw new Error('no test database: this test needs the global set-up of the integration or e2e project');
  return url;
}

async function admin(sql: string): Promise<void> {
  const client = new Client({ connectionString: `${serverUrl()}postgres` });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A migrated database of its own for one test file, in some 20 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await admin(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY FILE_COPY`);
  return {
    url: serverUrl() + name,
    drop: () => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
