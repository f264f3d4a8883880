import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client';

export type Db = PrismaClient;
/** The client inside a transaction, or outside of one. */
export type DbLike = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** Milliseconds to wait for a connection from the pool before the caller is told that the database is away. */
const POOL_WAIT_MS = 3_000;

export function createClient(url: string, poolMax: number): PrismaClient {
  const pool = {
    connectionString: url,
    max: poolMax,
    connectionTimeoutMillis: POOL_WAIT_MS,
    // The adapter takes a timestamptz's digits for UTC whatever its offset says: make every session speak UTC.
    options: '-c TimeZone=UTC',
  };
  const adapter = new PrismaPg(pool, { statementNameGenerator: statementNames() });
  return new PrismaClient({ adapter });
}

/** More than we have: what is built of lists of changing length must not fill a server's memory. */
const MAX_PREPARED = 300;

/** Prepared once per connection: PostgreSQL takes longer to plan our larger statements than to run them. */
function statementNames(): (query: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= MAX_PREPARED) return known ?? '';
    const name = `certwright_${names.size}`;
    names.set(sql, name);
    return name;
  };
}
