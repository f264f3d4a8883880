import { type Domain, type DomainStore, isLive, type OrderReason, type OrderStatus, terminal, transient } from '@certwright/core';
import type { Db } from './client';
import { type Prisma } from './generated/client';
import { domainParts, toDomain } from './rows';

type Change = Parameters<DomainStore['update']>[2] & { tenantId: string; id: string };

/** The CA has not been told to validate: nothing is lost with the order but a place in line. */
const GIVES_WAY: OrderStatus[] = ['new', 'awaiting_dns'];

const RETRY_AFTER_MS = 5_000;

const SUPERSEDED: OrderReason = { code: 'order_superseded', detail: 'The names of the domain were changed: another order takes the place of this one.' };

/** In the order in which workers lock, the order before its domain. @throws Problem `order_under_way`, `version_conflict` */
export function updateDomain(db: Db, { tenantId, id, names, auto, version }: Change): Promise<Domain | null> {
  return db.prisma.$transaction(async (tx) => {
    const locked = await tx.$queryRaw<{ id: string; status: OrderStatus }[]>`
      SELECT id, status::text FROM orders
       WHERE domain_id = ${id}::uuid AND tenant_id = ${tenantId}::uuid AND status NOT IN ('valid', 'invalid') FOR UPDATE`;
    await tx.$queryRaw`SELECT 1 FROM domains WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid FOR UPDATE`;
    // By itself, so that it sees the order of whoever has just had the domain: that one is not locked, and so can't be superseded now.
    const [domain] = await tx.$queryRaw<{ status: string; version: string | null; live: string | null; has_certificate: boolean }[]>`
      SELECT d.status::text, (SELECT max(e.id)::text FROM domain_events e WHERE e.domain_id = d.id) AS version,
             (SELECT o.id FROM orders o WHERE o.domain_id = d.id AND o.status NOT IN ('valid', 'invalid')) AS live,
             EXISTS (SELECT 1 FROM certificates c WHERE c.domain_id = d.id) AS has_certificate
        FROM domains d WHERE d.id = ${id}::uuid AND d.tenant_id = ${tenantId}::uuid`;
    if (!domain) return null;
    if (version !== undefined && version !== (domain.version ?? '0')) {
      throw terminal('version_conflict', `The domain has changed since version ${version}: it is at ${domain.version}.`);
    }
    const live = locked.find((order) => order.id === domain.live);
    if (names && domain.live !== null) {
      if (!live || !isLive(live.status) || !GIVES_WAY.includes(live.status)) {
        const detail = 'The CA is at work on a certificate with the names of before; change them once it is done.';
        throw transient('order_under_way', detail, { retryAfterMs: RETRY_AFTER_MS });
      }
      await supersede(tx, id, live.id);
    }
    const status = live && names ? { status: domain.has_certificate ? ('active' as const) : ('verified' as const), statusReason: null } : {};
    const watched = auto === undefined && !names ? {} : { watchAt: new Date() };
    await tx.domain.update({ where: { id }, data: { ...status, ...watched, ...(names && { names }), ...(auto !== undefined && { auto }) } });
    // Whatever becomes of the caller, an order for the new names follows.
    if (names) await tx.$executeRaw`UPDATE renewals SET renew_at = clock_timestamp(), look_at = clock_timestamp() WHERE domain_id = ${id}::uuid`;
    if (names) await tx.domainEvent.create({ data: { domainId: id, kind: 'changed', data: { names } } });
    const row = await tx.domain.findUniqueOrThrow({ where: { id }, include: domainParts });
    return toDomain(row);
  });
}

/** The higher token makes whatever its worker still writes of no effect. */
async function supersede(tx: Prisma.TransactionClient, domainId: string, orderId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE orders SET status = 'invalid', status_since = clock_timestamp(), reason = ${JSON.stringify(SUPERSEDED)}::jsonb,
                      due_at = NULL, deadline_at = NULL, lease_until = NULL, lease_token = lease_token + 1
     WHERE id = ${orderId}::uuid`;
  await tx.$executeRaw`
    INSERT INTO domain_events (domain_id, order_id, kind, status, generation, data)
    SELECT ${domainId}::uuid, id, 'order', status, generation, reason FROM orders WHERE id = ${orderId}::uuid`;
}
