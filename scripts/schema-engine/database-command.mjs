import pg from 'pg';
import { connectionUrl } from './adapter.mjs';

/** PostgreSQL's and Node's codes, as Prisma's. */
const PRISMA_CODES = new Map([
  ['28P01', 'P1000'],
  ['ECONNREFUSED', 'P1001'],
  ['3D000', 'P1003'],
  ['42P04', 'P1009'],
]);
const ACCESS_DENIED = 'P1010';

/** `schema-engine cli <command>`. Returns the exit code; what went wrong is JSON on stderr. */
export async function runDatabaseCommand(command, url) {
  const name = decodeURIComponent(new URL(url).pathname.slice(1)) || 'postgres';
  const identifier = pg.escapeIdentifier(name);
  try {
    if (command === 'can-connect-to-database') await query(connectionUrl(url), 'SELECT 1');
    else if (command === 'create-database') await query(connectionUrl(url, 'postgres'), `CREATE DATABASE ${identifier}`);
    else if (command === 'drop-database') await query(connectionUrl(url, 'postgres'), `DROP DATABASE ${identifier}`);
    else throw new Error(`schema-engine.mjs knows no command ${command}`);
    return 0;
  } catch (error) {
    report(error);
    return 1;
  }
}

async function query(connectionString, sql) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function report(error) {
  const timestamp = new Date().toISOString();
  const fields = { message: error.message, error_code: PRISMA_CODES.get(error.code) ?? ACCESS_DENIED };
  // The CLI takes the first line for the engine's greeting, and looks for the error after it.
  const greeting = { level: 'INFO', target: 'schema_engine', timestamp, fields: { message: 'Starting schema engine CLI' } };
  const failure = { level: 'ERROR', target: 'schema_engine::logger', timestamp, fields };
  process.stderr.write(`${JSON.stringify(greeting)}\n${JSON.stringify(failure)}\n`);
}
