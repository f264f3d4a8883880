import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

const { BPCHAR, CHAR } = pg.types.builtins;

/** A connection URL without Prisma's own `schema` parameter, and with another database if one is named. */
export function connectionUrl(url, database) {
  const parsed = new URL(url);
  parsed.searchParams.delete('schema');
  if (database !== undefined) parsed.pathname = `/${database}`;
  return parsed.href;
}

/** @prisma/adapter-pg is made for queries; this fills in what schema work needs on top. */
export class SchemaAdapterFactory extends PrismaPg {
  /** @param {string} url */
  constructor(url) {
    super(
      { connectionString: connectionUrl(url), max: 3, options: '-c TimeZone=UTC' },
      { schema: new URL(url).searchParams.get('schema') ?? undefined },
    );
    this.url = url;
  }

  async connect() {
    return forSchemaWork(await super.connect());
  }

  /** The base class names the database beside a connection string, which node-postgres then prefers. */
  async connectToShadowDb() {
    const name = `prisma_migrate_shadow_db_${randomUUID()}`;
    const admin = new pg.Client({ connectionString: connectionUrl(this.url) });
    await admin.connect();
    await admin.query(`CREATE DATABASE "${name}"`);
    const shadow = await new SchemaAdapterFactory(connectionUrl(this.url, name)).connect();
    const disconnect = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await disconnect();
      await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
      await admin.end();
    };
    return shadow;
  }
}

function forSchemaWork(connection) {
  // The system catalogue has columns of the one-byte type "char", which the adapter refuses.
  const performIO = connection.performIO.bind(connection);
  connection.performIO = async (query) => {
    const result = await performIO(query);
    for (const field of result.fields ?? []) if (field.dataTypeID === CHAR) field.dataTypeID = BPCHAR;
    return result;
  };
  // The adapter cuts a script at every semicolon, also inside of functions and strings.
  connection.executeScript = async (script) => {
    try {
      await connection.client.query(script);
    } catch (error) {
      connection.onError(error);
    }
  };
  if (connection.startTransaction !== undefined) {
    const startTransaction = connection.startTransaction.bind(connection);
    connection.startTransaction = async (isolation) => forSchemaWork(await startTransaction(isolation));
  }
  return connection;
}
