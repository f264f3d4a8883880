import { randomUUID } from 'node:crypto';
import {
  assertTransition,
  ISSUABLE_DOMAIN_STATUSES,
  type IssuedCertificate,
  type Lease,
  type Order,
  type OrderReason,
  type OrderStatus,
  type OrderStore,
  terminal,
} from '@certwright/core';
import { certificateKeyPlace } from './certificate-store';
import type { Db, DbLike } from './client';
import { Prisma } from './generated/client';
import { claimLease, type HeldLease, refresh, writeThrough } from './order-lease';
import { orderInclude, orderOmit, toOrder } from './rows';
import type { SealedBox } from './sealed-box';
import { isUniqueViolation } from './unavailable';

const orderKeyPlace = (id: string) => ({ column: 'orders.sealed_key', row: id });
const json = (value: unknown) => value as Prisma.InputJsonValue;
/** Every lease that reaches the store was handed out by its own `claim`. */
const held = (lease: Lease): HeldLease => lease as HeldLease;

export function createOrderStore(db: Db, box: SealedBox): OrderStore {
  async function latest(tenantId: string, domainId: string): Promise<Order | null> {
    const row = await db.order.findFirst({
      where: { tenantId, domainId },
      orderBy: { id: 'desc' },
      include: orderInclude,
      omit: orderOmit,
    });
    return row && toOrder(row);
  }

  return {
    latest,

    async create(tenantId, input) {
      try {
        return { order: await db.$transaction((tx) => insertOrder(tx, tenantId, input)), created: true };
      } catch (error) {
        // The partial unique index lets one live order per domain in; everybody else is handed that one.
        const live = isUniqueViolation(error) || error instanceof LiveOrderExists;
        const order = live && (await latest(tenantId, input.domainId));
        if (!order) throw error;
        return { order, created: false };
      }
    },

    async get(tenantId, id) {
      const row = await db.order.findFirst({ where: { id, tenantId }, include: orderInclude, omit: orderOmit });
      return row && toOrder(row);
    },

    async list(tenantId, domainId, limit) {
      const rows = await db.order.findMany({
        where: { tenantId, domainId },
        orderBy: { id: 'desc' },
        take: limit,
        include: orderInclude,
        omit: orderOmit,
      });
      return rows.map(toOrder);
    },

    claim: (tenantId, orderId, leaseMs) => claimLease(db, tenantId, orderId, leaseMs),

    async advance(given, to, { keyAndCsr, authorizations, ...change }) {
      const lease = held(given);
      assertTransition(lease.order.status, to);
      await db.$transaction(async (tx) => {
        await writeThrough(tx, lease, {
          status: to,
          reason: Prisma.DbNull,
          failures: 0,
          ...change,
          ...(keyAndCsr && {
            sealedKey: box.seal(keyAndCsr.privateKeyPem, orderKeyPlace(lease.order.id)),
            csr: new Uint8Array(keyAndCsr.csrDer),
          }),
        });
        if (authorizations) {
          await tx.authorization.createMany({ data: authorizations.map((one) => ({ ...one, orderId: lease.order.id })) });
        }
        await refresh(tx, lease);
      });
    },

    async recordAuthorizations(given, updates) {
      const lease = held(given);
      await db.$transaction(async (tx) => {
        await writeThrough(tx, lease, {});
        for (const { id, evidence, status } of updates) {
          await tx.authorization.updateMany({
            where: { id, orderId: lease.order.id },
            data: { ...(evidence && { evidence: json(evidence), checkedAt: lease.now() }), ...(status && { status }) },
          });
        }
        await refresh(tx, lease);
      });
    },

    async release(given, { dueAt, reason, failed }) {
      await writeThrough(db, held(given), {
        dueAt,
        leaseUntil: null,
        reason: reason ? json(reason) : Prisma.DbNull,
        ...(failed && { failures: { increment: 1 } }),
      });
    },

    async fail(given, reason) {
      await end(db, held(given), 'invalid', reason, async (tx, { tenantId, domainId }) => {
        const certificates = await tx.certificate.count({ where: { tenantId, domainId } });
        await tx.domain.updateMany({
          where: { id: domainId, tenantId },
          data: { status: certificates > 0 ? 'active' : 'failed', statusReason: reason.detail },
        });
      });
    },

    async complete(given, issued) {
      const lease = held(given);
      const privateKeyPem = await readKey(db, box, lease);
      if (!privateKeyPem) throw new TypeError(`order ${lease.order.id} has a certificate but no key`);
      await end(db, lease, 'valid', null, async (tx, order) => {
        await tx.certificate.create({ data: certificateRow(box, order, issued, privateKeyPem.privateKeyPem) });
        await tx.domain.updateMany({
          where: { id: order.domainId, tenantId: order.tenantId },
          data: { status: 'active', statusReason: null },
        });
      });
    },

    keyAndCsr: (lease) => readKey(db, box, lease),

    async overdue(graceMs, limit) {
      return db.$queryRaw`
        SELECT id, tenant_id AS "tenantId", status::text, request_id AS "requestId"
          FROM orders
         WHERE status NOT IN ('valid', 'invalid')
           AND due_at < clock_timestamp() - ${graceMs} * interval '1 millisecond'
           AND (lease_until IS NULL OR lease_until <= clock_timestamp())
         ORDER BY due_at
         LIMIT ${limit}`;
    },
  };
}

class LiveOrderExists extends Error {}

async function insertOrder(tx: DbLike, tenantId: string, input: Parameters<OrderStore['create']>[1]): Promise<Order> {
  const { domainId, phaseMs, ...rest } = input;
  const domain = await tx.domain.findFirst({ where: { id: domainId, tenantId } });
  if (!domain) throw terminal('not_found', 'There is no such domain.');
  if (domain.status === 'certificate_pending') throw new LiveOrderExists();
  if (!ISSUABLE_DOMAIN_STATUSES.includes(domain.status)) {
    throw terminal('domain_not_verified', `${domain.name} is not verified yet: set its ownership record, then verify it.`);
  }
  const [clock] = await tx.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  const now = clock?.now ?? new Date();
  const row = await tx.order.create({
    data: { ...rest, tenantId, domainId, names: domain.names, dueAt: now, deadlineAt: new Date(now.getTime() + phaseMs) },
    include: orderInclude,
    omit: orderOmit,
  });
  await tx.domain.updateMany({
    where: { id: domainId, tenantId },
    data: { status: 'certificate_pending', statusReason: null },
  });
  return toOrder(row);
}

/** The guarded terminal transitions, with what must change in the same transaction. */
async function end(
  db: Db,
  lease: HeldLease,
  to: OrderStatus & ('valid' | 'invalid'),
  reason: OrderReason | null,
  also: (tx: DbLike, order: Order) => Promise<void>,
): Promise<void> {
  assertTransition(lease.order.status, to);
  await db.$transaction(async (tx) => {
    await writeThrough(tx, lease, {
      status: to,
      reason: reason ? json(reason) : Prisma.DbNull,
      dueAt: null,
      deadlineAt: null,
      leaseUntil: null,
      // A finished order's key lives on with its certificate, sealed for that row.
      ...(to === 'valid' && { sealedKey: null }),
    });
    await also(tx, lease.order);
    await refresh(tx, lease);
  });
}

async function readKey(db: Db, box: SealedBox, { order }: Lease): Promise<{ privateKeyPem: string; csrDer: Buffer } | null> {
  const row = await db.order.findFirst({
    where: { id: order.id, tenantId: order.tenantId },
    select: { sealedKey: true, csr: true },
  });
  if (!row?.sealedKey || !row.csr) return null;
  return { privateKeyPem: box.open(row.sealedKey, orderKeyPlace(order.id)), csrDer: Buffer.from(row.csr) };
}

function certificateRow(box: SealedBox, order: Order, issued: IssuedCertificate, privateKeyPem: string) {
  const id = randomUUID();
  return {
    id,
    ...issued,
    tenantId: order.tenantId,
    domainId: order.domainId,
    orderId: order.id,
    names: order.names,
    sealedKey: box.seal(privateKeyPem, certificateKeyPlace(id)),
  };
}
