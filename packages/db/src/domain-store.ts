import { type Domain, type DomainStore, terminal } from '@certwright/core';
import type { Db } from './client';
import { toDomain } from './rows';
import { isUniqueViolation } from './unavailable';

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

export function createDomainStore(db: Db): DomainStore {
  return {
    async create(tenantId, { name, verificationToken }) {
      try {
        const data = { tenantId, name, names: [name], verificationToken, events: { create: { kind: 'registered' as const } } };
        return toDomain(await db.prisma.domain.create({ data }));
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw terminal('domain_exists', `${name} is registered already.`);
      }
    },

    async get(tenantId, id) {
      const row = await db.prisma.domain.findFirst({ where: { id, tenantId } });
      return row && toDomain(row);
    },

    // Ids are UUIDs of version 7: their order is the order of creation.
    async list(tenantId, { status, q, limit, cursor }) {
      const rows = await db.prisma.domain.findMany({
        where: {
          tenantId,
          ...(status && { status }),
          ...(q && { name: { contains: likeLiteral(q.toLowerCase()) } }),
          ...(cursor && { id: { lt: decodeCursor(cursor) } }),
        },
        orderBy: { id: 'desc' },
        take: limit + 1,
      });
      const data = rows.slice(0, limit).map(toDomain);
      const last = data.at(-1);
      return { data, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
    },

    async markVerified(tenantId, id) {
      return db.prisma.$transaction(async (tx) => {
        const [row] = await tx.domain.updateManyAndReturn({
          where: { id, tenantId, status: 'pending' },
          data: { status: 'verified', verifiedAt: new Date(), statusReason: null },
        });
        if (row) await tx.domainEvent.create({ data: { domainId: id, kind: 'verified' } });
        return row ? toDomain(row) : null;
      });
    },

    async delete(tenantId, id) {
      const { count } = await db.prisma.domain.deleteMany({ where: { id, tenantId } });
      return count === 1;
    },
  };
}
