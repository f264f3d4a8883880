import { type Domain, type DomainStore, newDelegationLabel, terminal } from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { updateDomain } from './domain-update';
import { domainColumns, domainParts, type DomainRow, toDomain } from './rows';
import { isUniqueViolation } from './unavailable';
import { storable } from './storable';

const encodeCursor = (domain: Domain): string => Buffer.from(domain.id).toString('base64url');

function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw terminal('malformed_request', 'cursor is not one that a list of domains returned.', {
    errors: [{ pointer: '/cursor', detail: 'not a cursor of this list' }],
  });
}

/** LIKE's own characters, for themselves. */
const likeLiteral = (text: string): string => text.replace(/[%_\\]/g, '\\$&');

/** The day's search, by itself for `EXPLAIN`. */
export const domainsToWatch = (graceMs: number, limit: number): Prisma.Sql => Prisma.sql`
  SELECT id, tenant_id AS "tenantId" FROM domains
   WHERE watch_at < (SELECT clock_timestamp()) - ${graceMs} * interval '1 millisecond' ORDER BY watch_at LIMIT ${limit}`;

export function createDomainStore(db: Db): DomainStore {
  const get: DomainStore['get'] = async (tenantId, id) => {
    const [row] = await db.run<DomainRow>(Prisma.sql`
      SELECT ${domainColumns} FROM domains d LEFT JOIN delegations l ON l.domain_id = d.id
       WHERE d.id = ${id}::uuid AND d.tenant_id = ${tenantId}::uuid`);
    return row ? toDomain(row) : null;
  };

  return {
    async create(tenantId, { names, verificationToken, auto }) {
      const [name] = names;
      try {
        const data = {
          tenantId,
          name,
          names,
          verificationToken,
          auto,
          watchAt: auto ? new Date() : null,
          delegation: { create: { label: newDelegationLabel() } },
          events: { create: { kind: 'registered' as const } },
        };
        return toDomain(await db.prisma.domain.create({ data, include: domainParts }));
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        const known = await db.prisma.domain.findFirst({ where: { tenantId, name }, select: { id: true } });
        if (!known) throw terminal('domain_exists', `${name} is registered already.`);
        const next = `GET /domains/${known.id} shows it, PATCH changes it, DELETE makes room for a new one.`;
        throw terminal('domain_exists', `${name} is registered already. ${next}`, { about: { domainId: known.id } });
      }
    },

    get,

    // Ids are UUIDs of version 7: their order is the order of creation.
    async list(tenantId, { status, q, limit, cursor }) {
      const rows = await db.prisma.domain.findMany({
        where: {
          tenantId,
          ...(status && { status }),
          ...(q && { name: { contains: likeLiteral(q.toLowerCase()) } }),
          ...(cursor && { id: { lt: decodeCursor(cursor) } }),
        },
        include: domainParts,
        orderBy: { id: 'desc' },
        take: limit + 1,
      });
      const data = rows.slice(0, limit).map(toDomain);
      const last = data.at(-1);
      return { data, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
    },

    update: (tenantId, id, change) => updateDomain(db, { tenantId, id, ...change }),

    async markVerified(tenantId, id, names, seen = null) {
      return db.prisma.$transaction(async (tx) => {
        const { count } = await tx.domain.updateMany({
          where: { id, tenantId, status: 'pending', ...(names && { names: { equals: names } }) },
          data: { status: 'verified', verifiedAt: new Date(), statusReason: null },
        });
        if (count === 0) return null;
        if (seen) await tx.$executeRaw`UPDATE domains SET forecast = ${storable(seen)}::jsonb WHERE id = ${id}::uuid AND NOT auto`;
        await tx.domainEvent.create({ data: { domainId: id, kind: 'verified' } });
        const row = await tx.domain.findFirst({ where: { id, tenantId }, include: domainParts });
        return row && toDomain(row);
      });
    },

    async claimWatch(tenantId, id, claimMs) {
      const claimed = await db.run(Prisma.sql`
        UPDATE domains SET watch_at = clock_timestamp() + ${claimMs} * interval '1 millisecond'
         WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND watch_at <= clock_timestamp() RETURNING id`);
      return claimed.length === 1 ? get(tenantId, id) : null;
    },

    async watchNow(tenantId, id, leastAgeMs) {
      const brought = await db.run(Prisma.sql`
        UPDATE domains SET watch_at = clock_timestamp()
         WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND watch_at > clock_timestamp()
           AND coalesce((forecast->>'at')::timestamptz < clock_timestamp() - ${leastAgeMs} * interval '1 millisecond', true) RETURNING id`);
      return brought.length === 1;
    },

    async noteForecast(tenantId, id, { forecast, delayMs }) {
      const watchAt = delayMs === null ? Prisma.sql`NULL` : Prisma.sql`clock_timestamp() + ${delayMs} * interval '1 millisecond'`;
      await db.run(Prisma.sql`
        WITH before AS (
          SELECT id, status, (forecast->>'isReady')::boolean AS was_ready FROM domains
           WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid FOR UPDATE
        ), noted AS (
          UPDATE domains d SET forecast = ${storable(forecast)}::jsonb, watch_at = ${watchAt} FROM before b WHERE d.id = b.id
        )
        INSERT INTO domain_events (domain_id, at, kind, data)
        SELECT id, clock_timestamp(), 'forecast', jsonb_build_object('forecast', ${storable(forecast)}::jsonb) FROM before
         WHERE was_ready IS DISTINCT FROM ${forecast.isReady} AND (was_ready IS NOT NULL OR ${forecast.isReady})`);
    },

    toWatch: (graceMs, limit) => db.run(domainsToWatch(graceMs, limit)),

    async delete(tenantId, id) {
      const { count } = await db.prisma.domain.deleteMany({ where: { id, tenantId } });
      return count === 1;
    },
  };
}
