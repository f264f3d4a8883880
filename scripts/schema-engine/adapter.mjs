import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

const { CHAR, TEXT } = pg.types.builtins;

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
  // The system catalogue has columns of the one-byte type "char", which the adapter refuses to describe: it is shown text
  // in their place, and the engine, which wants a character there, is told so afterwards.
  const queryRaw = connection.queryRaw.bind(connection);
  const performIO = connection.performIO.bind(connection);
  connection.queryRaw = async (query) => {
    const charColumns = [];
    connection.performIO = async (io) => {
      const result = await performIO(io);
      result.fields.forEach((field, column) => {
        if (field.dataTypeID !== CHAR) return;
        field.dataTypeID = TEXT;
        charColumns.push(column);
      });
      return result;
    };
    const result = await queryRaw(query);
    for (const column of charColumns) result.columnTypes[column] = ColumnTypeEnum.Character;
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
