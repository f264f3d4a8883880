import type { LabelValues, ZoneStore } from '@certwright/core';
import { createClient, type Db } from './client';
import { Prisma } from './generated/client';
import { mapOutages } from './unavailable';

/** Until the CA has seen them; one that it has seen need not be there any more. */
const wanted = Prisma.sql`o.status IN ('awaiting_dns', 'validating')`;

/** Tables and columns that are read here: docs/nameserver.md grants no others. */
export function createZoneStore(db: Db): ZoneStore {
  return {
    async labels(after, limit) {
      const rows = await db.run<{ label: string }>(Prisma.sql`
        SELECT label FROM delegations WHERE label > ${after} AND domain_id IS NOT NULL ORDER BY label LIMIT ${limit}`);
      return rows.map(({ label }) => label);
    },

    values: () =>
      db.run<LabelValues>(Prisma.sql`
        SELECT d.label, array_agg(a.txt_value) AS values
          FROM orders o JOIN authorizations a ON a.order_id = o.id AND a.status = 'pending' JOIN delegations d ON d.domain_id = o.domain_id
         WHERE ${wanted} GROUP BY d.label`),

    async newestChange() {
      const [row] = await db.run<{ id: string | null }>(Prisma.sql`SELECT max(id)::text AS id FROM domain_events`);
      return row?.id ?? '0';
    },

    async changes(after) {
      const rows = await db.run<LabelValues & { newest: string }>(Prisma.sql`
        WITH news AS (SELECT domain_id, max(id) AS id FROM domain_events WHERE id > ${after}::bigint GROUP BY domain_id)
        SELECT d.label, (SELECT max(id)::text FROM news) AS newest,
               array(SELECT a.txt_value FROM orders o JOIN authorizations a ON a.order_id = o.id AND a.status = 'pending'
                      WHERE o.domain_id = n.domain_id AND ${wanted}) AS values
          FROM news n JOIN delegations d ON d.domain_id = n.domain_id`);
      return { newest: rows[0]?.newest ?? after, changed: rows.map(({ label, values }) => ({ label, values })) };
    },
  };
}

export interface ZoneDatabase {
  zone: ZoneStore;
  close(): Promise<void>;
}

/** For a name server: no keys, two connections. Every method throws Problem `database_unavailable` when PostgreSQL is away. */
export function createZoneDatabase(url: string): ZoneDatabase {
  const db = createClient(url, 2);
  return { zone: mapOutages(createZoneStore(db)), close: () => db.close() };
}
