import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { type Prisma, PrismaClient } from './generated/client';

/** The client inside a transaction, or outside of one. */
export type PrismaLike = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** Two ways to one pool of connections. */
export interface Db {
  prisma: PrismaClient;
  /** A statement that every step of every order runs: Prisma's query engine would take twice the CPU that the driver does. */
  run<Row extends object>(statement: Prisma.Sql): Promise<Row[]>;
  close(): Promise<void>;
}

/** Milliseconds to wait for a connection from the pool before the caller is told that the database is away. */
const POOL_WAIT_MS = 3_000;

/** A plan is made of what the tables were like then, and kept as long as its connection: not for ever, in seconds. */
const CONNECTION_LIFE_S = 300;

/** A server that has gone without a word must not keep a job for ever. */
const STATEMENT_WAIT_MS = 30_000;

export function createClient(url: string, poolMax: number): Db {
  const pool = new Pool({
    connectionString: url,
    max: poolMax,
    connectionTimeoutMillis: POOL_WAIT_MS,
    query_timeout: STATEMENT_WAIT_MS,
    maxLifetimeSeconds: CONNECTION_LIFE_S,
    keepAlive: true,
    // Prisma's adapter takes a timestamptz's digits for UTC whatever its offset says: make every session speak UTC.
    options: '-c TimeZone=UTC',
  });
  pool.on('error', () => undefined); // an idle connection that broke: the next statement opens another
  const nameOf = statementNames();
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { statementNameGenerator: ({ sql }) => nameOf(sql) }) });
  return {
    prisma,
    async run<Row extends object>({ text, values }: Prisma.Sql) {
      const { rows } = await pool.query<Row>({ name: nameOf(text), text, values });
      return rows;
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** More than we have: what is built of lists of changing length must not fill a server's memory. */
const MAX_PREPARED = 300;

/** Prepared once per connection: PostgreSQL takes longer to plan our larger statements than to run them. */
function statementNames(): (sql: string) => string {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= MAX_PREPARED) return known ?? '';
    const name = `certwright_${names.size}`;
    names.set(sql, name);
    return name;
  };
}
