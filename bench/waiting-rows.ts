import { createJobQueue } from '@certwright/jobs';
import type { Stack } from '@certwright/testing';
import type { Client } from 'pg';
import { inLanes, until } from './lanes';
import { askForCertificate } from './stack-helpers';

const LANES = 64;

/** Names on silent servers are looked at so much less often (`nextLookMs`). */
const SILENT_APART = 6;

/**
 * As many orders as asked for, each as one is that has just been looked at: awaiting its record, with the next look
 * due within its interval, evenly spread, from `leadMs` on. One real order is the pattern: it has an account.
 */
export async function insertWaitingOrders(
  stack: Stack,
  client: Client,
  { orders, pollIntervalMs, leadMs, silentShare }: { orders: number; pollIntervalMs: number; leadMs: number; silentShare: number },
): Promise<void> {
  const { id } = await stack.verifiedDomain('real.customer.test');
  const { orderId: pattern } = await askForCertificate(stack, id);
  await until('the first look at DNS', { timeoutMs: 30_000, everyMs: 50 }, async () => {
    const { rows } = await client.query('SELECT 1 FROM authorizations WHERE order_id = $1 AND diagnosis IS NOT NULL', [pattern]);
    return rows.length > 0;
  });
  const silent = Math.round(orders * silentShare);
  await client.query(
    `INSERT INTO domains (id, tenant_id, name, names, status, verification_token, verified_at)
     SELECT gen_random_uuid(), o.tenant_id, w.name, ARRAY[w.name], 'certificate_pending', 'token' || w.name, now()
       FROM orders o, (SELECT 'w' || n || CASE WHEN n <= $3::int THEN '.silent.test' ELSE '.customer.test' END AS name
                         FROM generate_series(1, $2::int) n) w WHERE o.id = $1`,
    [pattern, orders, silent],
  );
  await client.query(`INSERT INTO delegations (label, domain_id) SELECT replace(id::text, '-', ''), id FROM domains WHERE name LIKE 'w%.test'`);
  await client.query(
    `INSERT INTO orders (id, tenant_id, domain_id, account_id, names, key_type, profile, status, status_since, due_at,
                         deadline_at, acme_url, finalize_url)
     SELECT gen_random_uuid(), o.tenant_id, d.id, o.account_id, d.names, o.key_type, o.profile, 'awaiting_dns', now() - interval '30 minutes',
            now() + ($4::float8 + row_number() OVER (ORDER BY random()) * $2::float8 / $3::float8
                                  * CASE WHEN d.name LIKE '%.silent.test' THEN ${SILENT_APART} ELSE 1 END) * interval '1 millisecond',
            now() + interval '1 day', o.acme_url || '-' || d.name, o.finalize_url || '-' || d.name
       FROM orders o, domains d WHERE o.id = $1 AND d.name LIKE 'w%.test'`,
    [pattern, pollIntervalMs, orders, leadMs],
  );
  await client.query(
    `INSERT INTO authorizations (id, order_id, identifier, url, challenge_url, txt_name, txt_value, evidence, diagnosis,
                                 checked_at)
     SELECT gen_random_uuid(), o.id, o.names[1], a.url || '-' || o.names[1], a.challenge_url || '-' || o.names[1],
            '_acme-challenge.' || o.names[1], md5(o.id::text),
            a.evidence || jsonb_build_object('fqdn', '_acme-challenge.' || o.names[1]),
            a.diagnosis || jsonb_build_object('at', now() - random() * interval '5 minutes', 'since', now() - interval '30 minutes'), now()
       FROM authorizations a, orders o WHERE a.order_id = $1 AND o.names[1] LIKE 'w%.test'`,
    [pattern],
  );
  await client.query('ANALYZE');
}

/** The timers that the product has set for such orders: a delayed job for each. */
export async function enqueueWaitingOrders(stack: Stack, client: Client): Promise<void> {
  const jobs = createJobQueue({ kind: 'redis', url: stack.redis?.url ?? '' }, { warn: (message) => console.error(message) });
  try {
    // A producer that has not reached its store yet refuses to add.
    await until('the queue store', { timeoutMs: 10_000, everyMs: 50 }, () =>
      jobs.ping().then(
        () => true,
        () => false,
      ),
    );
    const { rows } = await client.query<{ id: string; tenant_id: string; due_at: Date }>(
      `SELECT id, tenant_id, due_at FROM orders WHERE names[1] LIKE 'w%.test' ORDER BY due_at`,
    );
    await inLanes(rows, LANES, async ({ id, tenant_id, due_at }) => {
      const delayMs = Math.max(1, due_at.getTime() - Date.now());
      const added = await jobs.enqueue('await-dns', { tenantId: tenant_id, orderId: id }, { delayMs });
      if (!added) throw new Error('a job could not be added');
    });
  } finally {
    await jobs.close();
  }
}

export interface WaitingRow {
  id: string;
  /** Milliseconds since 1970, by the database's clock. */
  due: number;
  checked: number | null;
}

/** Of those whose name servers answer. */
export async function readWaitingRows(client: Client): Promise<WaitingRow[]> {
  const { rows } = await client.query<WaitingRow>(
    `SELECT o.id, extract(epoch FROM o.due_at)::float8 * 1000 AS due, extract(epoch FROM a.checked_at)::float8 * 1000 AS checked
       FROM orders o JOIN authorizations a ON a.order_id = o.id
      WHERE o.status = 'awaiting_dns' AND o.due_at IS NOT NULL AND a.txt_name LIKE '\\_acme-challenge.w%.customer.test'`,
  );
  return rows;
}
