import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client';

export type Db = PrismaClient;
/** The client inside a transaction, or outside of one. */
export type DbLike = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** Milliseconds to wait for a connection from the pool before the caller is told that the database is away. */
const POOL_WAIT_MS = 3_000;

export function createClient(url: string, poolMax: number): PrismaClient {
  const adapter = new PrismaPg({
    connectionString: url,
    max: poolMax,
    connectionTimeoutMillis: POOL_WAIT_MS,
    // The adapter takes a timestamptz's digits for UTC whatever its offset says: make every session speak UTC.
    options: '-c TimeZone=UTC',
  });
  return new PrismaClient({ adapter });
}
