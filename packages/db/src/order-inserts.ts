import { randomUUID } from 'node:crypto';
import { type AuthorizationInput, ISSUABLE_DOMAIN_STATUSES, type IssuedCertificate, type Order, type OrderStore } from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { orderColumns, type OrderRow, toOrder } from './rows';
import { storable } from './storable';

/**
 * The order and the domain's new status (a renewal leaves it as it is), in one statement. Null where the domain is in no status to be issued
 * for, or has a live order: of several callers at once one passes the index of live orders.
 */
export async function insertOrder(db: Db, tenantId: string, input: Parameters<OrderStore['create']>[1]): Promise<Order | null> {
  const { domainId, keyType, profile, phaseMs, ignoreCaa = null, renewal, requestId } = input;
  const { certificateId, neededBy, replaces } = renewal ?? { certificateId: null, neededBy: null, replaces: null };
  const [row] = await db.run<OrderRow>(Prisma.sql`
    WITH issuable AS (
      SELECT id, tenant_id, names FROM domains
       WHERE id = ${domainId}::uuid AND tenant_id = ${tenantId}::uuid AND status::text IN (${Prisma.join([...ISSUABLE_DOMAIN_STATUSES])})
         AND (${certificateId}::uuid IS NULL OR EXISTS (
               SELECT 1 FROM renewals r WHERE r.domain_id = domains.id AND r.certificate_id = ${certificateId}::uuid)) -- not replaced meanwhile
         FOR KEY SHARE -- after whoever changes the names; beside workers, who lock an order before its domain
    ), o AS (
      INSERT INTO orders (id, tenant_id, domain_id, names, key_type, profile, ignore_caa, needed_by, replaces, request_id, renewal,
                          status_since, created_at, due_at, deadline_at)
      SELECT ${randomUUID()}::uuid, tenant_id, id, names, ${keyType}, ${profile},
             coalesce(${ignoreCaa}::boolean, (SELECT b.ignore_caa FROM certificates c JOIN orders b ON b.id = c.order_id WHERE c.id = ${certificateId}::uuid), false),
             ${neededBy}, ${replaces}, ${requestId},
             EXISTS (SELECT 1 FROM certificates c WHERE c.domain_id = issuable.id),
             clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp() + ${phaseMs} * interval '1 millisecond'
        FROM issuable
      ON CONFLICT DO NOTHING
      RETURNING *
    ), pending AS (
      UPDATE domains d SET status = 'certificate_pending', status_reason = NULL, updated_at = clock_timestamp()
        FROM o WHERE d.id = o.domain_id AND ${renewal === undefined}
    ), told AS (
      INSERT INTO domain_events (domain_id, order_id, at, kind, status, generation)
      SELECT domain_id, id, created_at, 'order', status, generation FROM o
    )
    SELECT ${orderColumns} FROM o`);
  return row ? toOrder(row) : null;
}

export function insertAuthorizations(added: (AuthorizationInput & { id: string })[]): Prisma.Sql {
  return Prisma.sql`added AS (
    INSERT INTO authorizations (id, order_id, identifier, wildcard, url, challenge_url, txt_name, txt_value, status)
    SELECT n.id, g.id, n.identifier, n.wildcard, n.url, n."challengeUrl", n."txtName", n."txtValue", n.status
      FROM guarded g, jsonb_to_recordset(${storable(added)}::jsonb)
        AS n(id uuid, identifier text, wildcard boolean, url text, "challengeUrl" text, "txtName" text, "txtValue" text,
             status authorization_status))`;
}

export function insertCertificate(order: Order, id: string, issued: IssuedCertificate, sealedKey: Uint8Array): Prisma.Sql {
  const { chainPem, serial, sha256, issuer, keyType, notBefore, notAfter } = issued;
  return Prisma.sql`issued AS (
    INSERT INTO certificates (id, tenant_id, domain_id, order_id, names, chain_pem, sealed_key, serial, sha256, issuer,
                              key_type, not_before, not_after)
    SELECT ${id}::uuid, ${order.tenantId}::uuid, ${order.domainId}::uuid, g.id, ${order.names}, ${chainPem}, ${sealedKey},
           ${serial}, ${sha256}, ${issuer}, ${keyType}, ${notBefore}, ${notAfter}
      FROM guarded g
    RETURNING id)`;
}
