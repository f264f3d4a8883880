import type { Authorization, Certificate, Domain, KeyType, Order, OrderReason, TxtEvidence } from '@certwright/core';
import { Prisma } from './generated/client';

/** Prisma's rows as the core's words; sealed columns are left out on purpose. */

type DomainRow = Prisma.DomainGetPayload<object>;
type AuthorizationRow = Prisma.AuthorizationGetPayload<object>;
type CertificateRow = Prisma.CertificateGetPayload<object>;

export const orderInclude = {
  authorizations: { orderBy: [{ identifier: 'asc' }, { wildcard: 'asc' }] },
  certificate: { select: { id: true } },
} satisfies Prisma.OrderInclude;
export const orderOmit = { sealedKey: true, csr: true } satisfies Prisma.OrderOmit;
type OrderRow = Prisma.OrderGetPayload<{ include: typeof orderInclude; omit: typeof orderOmit }>;

export const toDomain = ({ names: _names, ...row }: DomainRow): Domain => row;

export const toAuthorization = ({ orderId: _orderId, evidence, ...row }: AuthorizationRow): Authorization => ({
  ...row,
  evidence: evidence as TxtEvidence | null,
});

export function toOrder(row: OrderRow): Order {
  const { certificate, authorizations, leaseToken: _token, leaseUntil: _until, reason, keyType, ...rest } = row;
  return {
    ...rest,
    keyType: keyType as KeyType,
    reason: reason as OrderReason | null,
    certificateId: certificate?.id ?? null,
    authorizations: authorizations.map(toAuthorization),
  };
}

export const toCertificate = ({ sealedKey: _sealedKey, ...row }: Omit<CertificateRow, 'sealedKey'> & { sealedKey?: unknown }): Certificate => row;

/** The authorizations of the order `o`, as one JSON value. */
export const authorizationsJson = Prisma.sql`(
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'id', a.id, 'identifier', a.identifier, 'wildcard', a.wildcard, 'url', a.url, 'challengeUrl', a.challenge_url,
           'txtName', a.txt_name, 'txtValue', a.txt_value, 'status', a.status, 'evidence', a.evidence, 'checkedAt', a.checked_at
         ) ORDER BY a.identifier, a.wildcard), '[]')
    FROM authorizations a WHERE a.order_id = o.id)`;

export const authorizationFromJson = (
  row: Omit<Authorization, 'checkedAt'> & { checkedAt: string | null },
): Authorization => ({ ...row, checkedAt: row.checkedAt === null ? null : new Date(row.checkedAt) });
