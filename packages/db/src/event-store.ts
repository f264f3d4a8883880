import type { DomainEvent, EventStore } from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';

interface EventRow {
  id: string;
  at: Date;
  kind: DomainEvent['kind'];
  orderId: string | null;
  status: string | null;
  generation: number | null;
  data: Record<string, unknown> | null;
}

export function createEventStore(db: Db): EventStore {
  return {
    async ofDomain(tenantId, domainId, { after, limit }) {
      const condition = Prisma.sql`e.domain_id = ${domainId}::uuid AND d.tenant_id = ${tenantId}::uuid`;
      if (after === undefined) return newestEvents(db, condition, limit);
      const rows = await db.run<EventRow>(Prisma.sql`${selected} WHERE ${condition} AND e.id > ${after}::bigint ORDER BY e.id LIMIT ${limit}`);
      return rows.map(toEvent);
    },

    newest: (domainIds) =>
      db.run(Prisma.sql`
        SELECT d.id AS "domainId", (SELECT max(e.id) FROM domain_events e WHERE e.domain_id = d.id)::text AS id
          FROM unnest(${domainIds}::uuid[]) AS d(id)
         WHERE EXISTS (SELECT 1 FROM domain_events e WHERE e.domain_id = d.id)`),
  };
}

/** Oldest first. */
export async function newestEvents<E extends DomainEvent>(db: Db, condition: Prisma.Sql, limit: number): Promise<E[]> {
  const rows = await db.run<EventRow>(Prisma.sql`${selected} WHERE ${condition} ORDER BY e.id DESC LIMIT ${limit}`);
  return rows.reverse().map((row) => toEvent(row) as E);
}

const selected = Prisma.sql`
  SELECT e.id::text, e.at, e.kind::text, e.order_id AS "orderId", e.status::text, e.generation, e.data
    FROM domain_events e JOIN domains d ON d.id = e.domain_id`;

function toEvent({ id, at, kind, orderId, status, generation, data }: EventRow): DomainEvent {
  if (kind === 'order') return { id, at, kind, orderId, status, generation, reason: data } as DomainEvent;
  return { id, at, kind, ...(kind === 'dns' && { orderId }), ...data } as DomainEvent;
}
