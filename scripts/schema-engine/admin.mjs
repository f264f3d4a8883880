import pg from 'pg';
import { connectionOf } from './adapter.mjs';

/** PostgreSQL's and Node's codes as the CLI's own. */
const CODES = { '3D000': 'P1003', ECONNREFUSED: 'P1001', '42P04': 'P1009', '28P01': 'P1000' };

/** `can-connect-to-database`, `create-database`, `drop-database`. Returns the exit code. */
export async function adminCommand(command, url) {
  const database = decodeURIComponent(new URL(url).pathname.slice(1)) || 'postgres';
  try {
    if (command === 'can-connect-to-database') await run(url, undefined, 'SELECT 1');
    else if (command === 'create-database') await run(url, 'postgres', `CREATE DATABASE ${pg.escapeIdentifier(database)}`);
    else if (command === 'drop-database') await run(url, 'postgres', `DROP DATABASE ${pg.escapeIdentifier(database)}`);
    else throw new Error(`unsupported command ${command}`);
    return 0;
  } catch (error) {
    logError(error.message || String(error), CODES[error.code] ?? 'P1010');
    return 1;
  }
}

async function run(url, database, sql) {
  const client = new pg.Client(connectionOf(url, database));
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The form in which the CLI reads its engine's standard error. */
function logError(message, code) {
  const line = (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`);
  line({ level: 'INFO', target: 'schema-engine', fields: { message: 'Starting schema engine CLI' } });
  line({ level: 'ERROR', target: 'schema_engine::logger', fields: { message, error_code: code }, timestamp: new Date().toISOString() });
}
