import { Problem, transient } from '@certwright/core';
import { Prisma } from './generated/client';

/** Prisma's codes for an outage or a lost race that is gone at the next try, as opposed to a wrong query. */
const OUTAGE = new Set(['P1000', 'P1001', 'P1002', 'P1003', 'P1008', 'P1010', 'P1011', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037', 'P2039']);

/** Classes of SQLSTATE that mean the same: connection, resources, operator intervention, serialization. */
const OUTAGE_SQLSTATE = /^(08|53|57|58|40)/;

const OUTAGE_SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function isOutage(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (error instanceof Prisma.PrismaClientKnownRequestError && OUTAGE.has(error.code)) return true;
  const codes = [error, (error as { cause?: unknown }).cause, (error as { meta?: { driverAdapterError?: unknown } }).meta?.driverAdapterError]
    .flatMap((one) => {
      const { code, originalCode, cause } = (one ?? {}) as { code?: unknown; originalCode?: unknown; cause?: { originalCode?: unknown } };
      return [code, originalCode, cause?.originalCode];
    })
    .filter((code) => typeof code === 'string');
  if (codes.some((code) => OUTAGE_SYSTEM.has(code) || (code.length === 5 && OUTAGE_SQLSTATE.test(code)))) return true;
  // pg's pool and socket errors carry no code at all.
  return /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|Can't reach database/i.test(
    messageOf(error),
  );
}

/** The same store, with outages of the database turned into Problem `database_unavailable` (transient). */
export function mapOutages<T extends object>(store: T): T {
  const mapped = Object.entries(store).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (error) {
        if (error instanceof Problem || !isOutage(error)) throw error;
        throw transient('database_unavailable', 'The database cannot be reached right now.', {
          cause: error,
          retryAfterMs: 5_000,
        });
      }
    },
  ]);
  return Object.fromEntries(mapped) as T;
}

/** True for a unique index's refusal. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
