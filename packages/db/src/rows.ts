import type { Authorization, Certificate, Domain, KeyType, Order, OrderReason, TxtEvidence } from '@certwright/core';
import type { Prisma } from './generated/client';

/** Prisma's rows as the core's words; sealed columns are left out on purpose. */

type DomainRow = Prisma.DomainGetPayload<object>;
type AuthorizationRow = Prisma.AuthorizationGetPayload<object>;
type CertificateRow = Prisma.CertificateGetPayload<object>;

export const orderInclude = {
  authorizations: { orderBy: { id: 'asc' } },
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
