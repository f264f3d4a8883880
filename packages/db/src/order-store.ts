import { randomUUID } from 'node:crypto';
import {
  assertTransition,
  type AuthorizationInput,
  ISSUABLE_DOMAIN_STATUSES,
  type IssuedCertificate,
  type KeyAndCsr,
  type Lease,
  type Order,
  type OrderReason,
  type OrderStore,
  terminal,
} from '@certwright/core';
import { certificateKeyPlace } from './certificate-store';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { claimLease, held, reasonJson, transition, writeThrough } from './order-lease';
import { orderColumns, type OrderRow, toOrder } from './rows';
import type { SealedBox } from './sealed-box';

const orderKeyPlace = (id: string) => ({ column: 'orders.sealed_key', row: id });

export function createOrderStore(db: Db, box: SealedBox): OrderStore {
  async function select(condition: Prisma.Sql): Promise<Order[]> {
    return (await db.run<OrderRow>(Prisma.sql`SELECT ${orderColumns} FROM orders o WHERE ${condition}`)).map(toOrder);
  }
  const newest = (tenantId: string, domainId: string, limit: number): Promise<Order[]> =>
    select(Prisma.sql`o.domain_id = ${domainId}::uuid AND o.tenant_id = ${tenantId}::uuid ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit}`);
  const latest = async (tenantId: string, domainId: string): Promise<Order | null> => (await newest(tenantId, domainId, 1))[0] ?? null;

  return {
    latest,
    list: newest,

    async create(tenantId, input) {
      const created = await insertOrder(db, tenantId, input);
      if (created) return { order: created, created: true };
      const domain = await db.prisma.domain.findFirst({ where: { id: input.domainId, tenantId } });
      if (!domain) throw terminal('not_found', 'There is no such domain.');
      const live = domain.status === 'certificate_pending' && (await latest(tenantId, input.domainId));
      if (live) return { order: live, created: false };
      throw terminal('domain_not_verified', `${domain.name} is not verified yet: set its ownership record, then verify it.`);
    },

    get: async (tenantId, id) => (await select(Prisma.sql`o.id = ${id}::uuid AND o.tenant_id = ${tenantId}::uuid`))[0] ?? null,

    standings: (ids) => db.run(Prisma.sql`SELECT id, status::text, reason->>'code' AS code FROM orders WHERE id = ANY(${ids}::uuid[])`),

    async events(tenantId, id, limit) {
      const rows = await db.prisma.orderEvent.findMany({
        where: { order: { id, tenantId } },
        orderBy: { id: 'desc' },
        take: limit,
        select: { at: true, status: true, generation: true, reason: true },
      });
      return rows.reverse().map((row) => ({ ...row, reason: row.reason as OrderReason | null }));
    },

    claim: (tenantId, orderId, leaseMs) => claimLease({ db, box }, { tenantId, orderId, leaseMs }),

    async advance(given, to, { keyAndCsr, authorizations, reason = null, letGo = false, ...change }) {
      const lease = held(given);
      const { id } = lease.order;
      assertTransition(lease.order.status, to);
      const { set, shows } = transition(lease, to, reason);
      const { accountId, acmeUrl, finalizeUrl, caExpiresAt } = { ...lease.order, ...change };
      set.push(
        Prisma.sql`due_at = ${change.dueAt}`,
        Prisma.sql`deadline_at = ${change.deadlineAt}`,
        Prisma.sql`account_id = ${accountId}::uuid`,
        Prisma.sql`acme_url = ${acmeUrl}`,
        Prisma.sql`finalize_url = ${finalizeUrl}`,
        Prisma.sql`ca_expires_at = ${caExpiresAt}`,
      );
      if (keyAndCsr) {
        set.push(
          Prisma.sql`sealed_key = ${box.seal(keyAndCsr.privateKeyPem, orderKeyPlace(id))}`,
          Prisma.sql`csr = ${keyAndCsr.csrDer}`,
        );
      }
      const added = authorizations?.map((one) => ({ ...one, id: randomUUID(), evidence: null, checkedAt: null }));
      await writeThrough(db, lease, {
        set,
        shows: { ...shows, ...change, ...(added && { authorizations: added }) },
        letGo,
        also: added ? [insertAuthorizations(added)] : [],
      });
    },

    async restart(given, { dueAt, deadlineAt, reason }) {
      const lease = held(given);
      const generation = lease.order.generation + 1;
      assertTransition(lease.order.status, 'new');
      const { set, shows } = transition(lease, 'new', reason);
      set.push(
        Prisma.sql`generation = ${generation}`,
        Prisma.sql`due_at = ${dueAt}`,
        Prisma.sql`deadline_at = ${deadlineAt}`,
        Prisma.sql`acme_url = NULL, finalize_url = NULL, ca_expires_at = NULL, sealed_key = NULL, csr = NULL`,
      );
      lease.notes = [];
      await writeThrough(db, lease, {
        set,
        shows: { ...shows, generation, dueAt, deadlineAt, acmeUrl: null, finalizeUrl: null, caExpiresAt: null, authorizations: [] },
        letGo: true,
        also: [Prisma.sql`dropped AS (DELETE FROM authorizations a USING guarded g WHERE a.order_id = g.id)`],
      });
    },

    async release(given, { dueAt, reason, failed, deadlineAt }) {
      const lease = held(given);
      const failures = failed ? lease.order.failures + 1 : 0;
      // What sets an order apart because workers died on it must not make them forgotten.
      const crashes = reason?.code === 'worker_crashed' ? lease.order.crashes : 0;
      await writeThrough(db, lease, {
        set: [
          Prisma.sql`due_at = ${dueAt}`,
          Prisma.sql`reason = ${reasonJson(reason)}`,
          Prisma.sql`failures = ${failures}`,
          Prisma.sql`crashes = ${crashes}`,
          ...(deadlineAt ? [Prisma.sql`deadline_at = ${deadlineAt}`] : []),
        ],
        shows: { dueAt, reason, failures, crashes, ...(deadlineAt && { deadlineAt }) },
        letGo: true,
      });
    },

    async fail(given, reason) {
      const lease = held(given);
      const { tenantId, domainId } = lease.order;
      await writeThrough(db, lease, {
        ...end(given, 'invalid', reason),
        also: [
          Prisma.sql`domain AS (
            UPDATE domains d
               SET status = CASE WHEN EXISTS (SELECT 1 FROM certificates c WHERE c.domain_id = d.id)
                                 THEN 'active' ELSE 'failed' END::domain_status,
                   status_reason = ${reason.detail}, updated_at = clock_timestamp()
              FROM guarded WHERE d.id = ${domainId}::uuid AND d.tenant_id = ${tenantId}::uuid)`,
        ],
      });
    },

    async complete(given, issued, privateKeyPem) {
      const lease = held(given);
      const { tenantId, domainId } = lease.order;
      const ending = end(given, 'valid', null);
      // A finished order's key lives on with its certificate, sealed for that row.
      ending.set.push(Prisma.sql`sealed_key = NULL`);
      const certificateId = randomUUID();
      const sealedKey = box.seal(privateKeyPem, certificateKeyPlace(certificateId));
      await writeThrough(db, lease, {
        ...ending,
        shows: { ...ending.shows, certificateId },
        also: [
          insertCertificate(lease.order, certificateId, issued, sealedKey),
          Prisma.sql`domain AS (
            UPDATE domains d SET status = 'active', status_reason = NULL, updated_at = clock_timestamp()
              FROM guarded WHERE d.id = ${domainId}::uuid AND d.tenant_id = ${tenantId}::uuid)`,
        ],
      });
    },

    async keyAndCsr({ order }): Promise<KeyAndCsr | null> {
      const row = await db.prisma.order.findFirst({
        where: { id: order.id, tenantId: order.tenantId },
        select: { sealedKey: true, csr: true },
      });
      if (!row?.sealedKey || !row.csr) return null;
      return { privateKeyPem: box.open(row.sealedKey, orderKeyPlace(order.id)), csrDer: Buffer.from(row.csr) };
    },

    async overdue(graceMs, limit) {
      return db.run(Prisma.sql`
        SELECT id, tenant_id AS "tenantId", status::text, request_id AS "requestId"
          FROM orders
         WHERE status NOT IN ('valid', 'invalid')
           AND due_at < clock_timestamp() - ${graceMs} * interval '1 millisecond'
           AND (lease_until IS NULL OR lease_until <= clock_timestamp())
         ORDER BY due_at
         LIMIT ${limit}`);
    },

    async census() {
      return db.run(Prisma.sql`
        SELECT status::text, reason->>'code' AS code, reason->'acme'->>'type' AS "acmeType", count(*)::int,
               max(extract(epoch FROM clock_timestamp() - due_at) * 1000)::float8 AS "oldestDueMs"
          FROM orders
         WHERE status NOT IN ('valid', 'invalid')
         GROUP BY 1, 2, 3`);
    },
  };
}

/**
 * The order and the domain's new status, in one statement. Null when the domain is in no status to be issued for: of several
 * callers at once one finds it so, behind the lock on its row, and all others don't.
 */
async function insertOrder(db: Db, tenantId: string, input: Parameters<OrderStore['create']>[1]): Promise<Order | null> {
  const { domainId, keyType, profile, phaseMs, requestId } = input;
  const [row] = await db.run<OrderRow>(Prisma.sql`
    WITH domain AS (
      UPDATE domains SET status = 'certificate_pending', status_reason = NULL, updated_at = clock_timestamp()
       WHERE id = ${domainId}::uuid AND tenant_id = ${tenantId}::uuid
         AND status::text IN (${Prisma.join([...ISSUABLE_DOMAIN_STATUSES])})
      RETURNING id, tenant_id, names
    ), o AS (
      INSERT INTO orders (id, tenant_id, domain_id, names, key_type, profile, request_id, renewal, status_since, created_at, due_at, deadline_at)
      SELECT ${randomUUID()}::uuid, tenant_id, id, names, ${keyType}, ${profile}, ${requestId},
             EXISTS (SELECT 1 FROM certificates c WHERE c.domain_id = domain.id),
             clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp() + ${phaseMs} * interval '1 millisecond'
        FROM domain
      RETURNING *
    ), told AS (
      INSERT INTO order_events (order_id, at, status, generation) SELECT id, created_at, status, generation FROM o
    )
    SELECT ${orderColumns} FROM o`);
  return row ? toOrder(row) : null;
}

/** The terminal transitions. */
function end(given: Lease, to: 'valid' | 'invalid', reason: OrderReason | null) {
  const lease = held(given);
  assertTransition(lease.order.status, to);
  const { set, shows } = transition(lease, to, reason);
  set.push(Prisma.sql`due_at = NULL, deadline_at = NULL`);
  return { set, shows: { ...shows, dueAt: null, deadlineAt: null }, letGo: true };
}

function insertAuthorizations(added: (AuthorizationInput & { id: string })[]): Prisma.Sql {
  return Prisma.sql`added AS (
    INSERT INTO authorizations (id, order_id, identifier, wildcard, url, challenge_url, txt_name, txt_value, status)
    SELECT n.id, g.id, n.identifier, n.wildcard, n.url, n."challengeUrl", n."txtName", n."txtValue", n.status
      FROM guarded g, jsonb_to_recordset(${JSON.stringify(added)}::jsonb)
        AS n(id uuid, identifier text, wildcard boolean, url text, "challengeUrl" text, "txtName" text, "txtValue" text,
             status authorization_status))`;
}

function insertCertificate(order: Order, id: string, issued: IssuedCertificate, sealedKey: Uint8Array): Prisma.Sql {
  const { chainPem, serial, sha256, issuer, keyType, notBefore, notAfter } = issued;
  return Prisma.sql`issued AS (
    INSERT INTO certificates (id, tenant_id, domain_id, order_id, names, chain_pem, sealed_key, serial, sha256, issuer,
                              key_type, not_before, not_after)
    SELECT ${id}::uuid, ${order.tenantId}::uuid, ${order.domainId}::uuid, g.id, ${order.names}, ${chainPem}, ${sealedKey},
           ${serial}, ${sha256}, ${issuer}, ${keyType}, ${notBefore}, ${notAfter}
      FROM guarded g)`;
}
