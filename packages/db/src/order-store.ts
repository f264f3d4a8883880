import { randomUUID } from 'node:crypto';
import {
  assertTransition,
  isLive,
  type KeyAndCsr,
  type Lease,
  type Order,
  type LiveOrderStatus,
  type OrderReason,
  type OrderStore,
  terminal,
} from '@certwright/core';
import { certificateKeyPlace } from './certificate-store';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { insertAuthorizations, insertCertificate, insertOrder } from './order-inserts';
import { createClaims } from './order-claim';
import { held, transition, writeThrough } from './order-lease';
import { createReleases } from './order-release';
import { newestEvents } from './event-store';
import { failRenewal, insertRenewal } from './renewal-store';
import { orderColumns, type OrderRow, toOrder } from './rows';
import type { SealedBox } from './sealed-box';

const orderKeyPlace = (id: string) => ({ column: 'orders.sealed_key', row: id });

export function createOrderStore(db: Db, box: SealedBox): OrderStore {
  const claim = createClaims(db, box);
  const release = createReleases(db);
  async function select(condition: Prisma.Sql): Promise<Order[]> {
    return (await db.run<OrderRow>(Prisma.sql`SELECT ${orderColumns} FROM orders o WHERE ${condition}`)).map(toOrder);
  }
  const newest = (tenantId: string, domainId: string, limit: number): Promise<Order[]> =>
    select(Prisma.sql`o.domain_id = ${domainId}::uuid AND o.tenant_id = ${tenantId}::uuid ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit}`);
  const latest = async (tenantId: string, domainId: string): Promise<Order | null> => (await newest(tenantId, domainId, 1))[0] ?? null;

  async function insertUnlessLive(tenantId: string, input: Parameters<OrderStore['create']>[1]): Promise<Order | null> {
    const before = await latest(tenantId, input.domainId);
    return before && !isLive(before.status) ? insertOrder(db, tenantId, input) : null;
  }

  return {
    latest,
    list: newest,

    async create(tenantId, input) {
      // A second time where the live order that was in the way has ended meanwhile.
      const created = (await insertOrder(db, tenantId, input)) ?? (await insertUnlessLive(tenantId, input));
      if (created) return { order: created, created: true };
      const domain = await db.prisma.domain.findFirst({ where: { id: input.domainId, tenantId } });
      if (!domain) throw terminal('not_found', 'There is no such domain.');
      const newest = await latest(tenantId, input.domainId);
      if (newest && isLive(newest.status)) return { order: newest, created: false };
      if (input.renewal && newest) throw terminal('order_superseded', 'The certificate has been replaced this very moment.');
      throw terminal('domain_not_verified', `${domain.name} is not verified yet: set its ownership record, then verify it.`);
    },

    get: async (tenantId, id) => (await select(Prisma.sql`o.id = ${id}::uuid AND o.tenant_id = ${tenantId}::uuid`))[0] ?? null,

    standings: (ids) => db.run(Prisma.sql`SELECT id, status::text, reason->>'code' AS code FROM orders WHERE id = ANY(${ids}::uuid[])`),

    async events(tenantId, id, limit) {
      return newestEvents(db, Prisma.sql`e.order_id = ${id}::uuid AND d.tenant_id = ${tenantId}::uuid AND e.kind = 'order'`, limit);
    },

    claim: (tenantId, orderId, leaseMs) => claim({ tenantId, orderId, leaseMs }),

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
      const added = authorizations?.map((one) => ({ ...one, id: randomUUID(), evidence: null, diagnosis: null, checkedAt: null }));
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
        Prisma.sql`acme_url = NULL, finalize_url = NULL, ca_expires_at = NULL`, // the key stays: finalize may have been sent
      );
      lease.notes = [];
      lease.placed = null;
      await writeThrough(db, lease, {
        set,
        shows: { ...shows, generation, dueAt, deadlineAt, acmeUrl: null, finalizeUrl: null, caExpiresAt: null, authorizations: [] },
        letGo: true,
        also: [Prisma.sql`dropped AS (DELETE FROM authorizations a USING guarded g WHERE a.order_id = g.id)`],
      });
    },

    release: (given, next) => release(held(given), next),

    handBack: (given) => writeThrough(db, held(given), { letGo: true }),

    async fail(given, reason) {
      const lease = held(given);
      const { tenantId, domainId, neededBy } = lease.order;
      await writeThrough(db, lease, {
        ...end(given, 'invalid', reason),
        also: [
          Prisma.sql`domain AS (
            UPDATE domains d
               SET status = CASE WHEN EXISTS (SELECT 1 FROM certificates c WHERE c.domain_id = d.id)
                                 THEN 'active' ELSE 'failed' END::domain_status,
                   status_reason = ${reason.detail}, updated_at = clock_timestamp()
              FROM guarded WHERE d.id = ${domainId}::uuid AND d.tenant_id = ${tenantId}::uuid AND ${neededBy === null})`,
          ...(neededBy === null ? [] : [failRenewal(lease.order, reason)]),
        ],
      });
    },

    async complete(given, issued, privateKeyPem, renewal) {
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
          insertRenewal(lease.order, issued, renewal),
          Prisma.sql`domain AS (
            UPDATE domains d SET status = 'active', status_reason = NULL, updated_at = clock_timestamp(),
                                 watch_at = coalesce(watch_at, clock_timestamp() + random() * interval '1 day')
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

    async watch(tenantId, domainId, ms) {
      const [row] = await db.run<{ id: string; status: LiveOrderStatus; wasWatched: boolean }>(Prisma.sql`
        WITH live AS (
          SELECT id, coalesce(watched_until > clock_timestamp(), false) AS was_watched FROM orders
           WHERE domain_id = ${domainId}::uuid AND tenant_id = ${tenantId}::uuid AND status NOT IN ('valid', 'invalid')
             FOR UPDATE
        )
        UPDATE orders o SET watched_until = clock_timestamp() + ${ms} * interval '1 millisecond' FROM live WHERE o.id = live.id
        RETURNING o.id, o.status::text, live.was_watched AS "wasWatched"`);
      return row ?? null;
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

/** The terminal transitions. */
function end(given: Lease, to: 'valid' | 'invalid', reason: OrderReason | null) {
  const lease = held(given);
  assertTransition(lease.order.status, to);
  const { set, shows } = transition(lease, to, reason);
  set.push(Prisma.sql`due_at = NULL, deadline_at = NULL`);
  return { set, shows: { ...shows, dueAt: null, deadlineAt: null }, letGo: true };
}
