import type { Authorization, Certificate, Domain, Forecast, Order } from '@certwright/core';
import { Prisma } from './generated/client';

/** Prisma's rows as the core's words; sealed columns are left out on purpose. */

export const domainParts = { delegation: { select: { label: true } } } satisfies Prisma.DomainInclude;
export type DomainRow = Prisma.DomainGetPayload<{ include: typeof domainParts }>;

/** The domain `d` with its delegation `l`, as `DomainRow`: read at nearly every request, which Prisma does in two statements. */
export const domainColumns = Prisma.sql`
  d.id, d.tenant_id AS "tenantId", d.name, d.names, d.status::text, d.status_reason AS "statusReason",
  d.verification_token AS "verificationToken", d.verified_at AS "verifiedAt", d.auto, d.watch_at AS "watchAt", d.forecast,
  d.created_at AS "createdAt", d.updated_at AS "updatedAt",
  CASE WHEN l.label IS NOT NULL THEN jsonb_build_object('label', l.label) END AS delegation`;

type CertificateRow = Prisma.CertificateGetPayload<object>;

export function toDomain({ delegation, forecast, ...row }: DomainRow): Domain {
  if (!delegation) throw new TypeError(`domain ${row.id} has no delegation label`);
  return { ...row, delegationLabel: delegation.label, forecast: forecast as Forecast | null };
}

export const toCertificate = ({ sealedKey: _sealedKey, ...row }: Omit<CertificateRow, 'sealedKey'> & { sealedKey?: unknown }): Certificate => row;

/** The order `o` with all that belongs to it, in one statement; sealed columns are left out on purpose. */
export const orderColumns = Prisma.sql`
  o.id, o.tenant_id AS "tenantId", o.domain_id AS "domainId", o.names, o.status::text, o.status_since AS "statusSince", o.generation,
  o.renewal, o.key_type AS "keyType", o.profile, o.reason, o.failures, o.crashes, o.due_at AS "dueAt", o.deadline_at AS "deadlineAt",
  o.account_id AS "accountId", o.acme_url AS "acmeUrl", o.finalize_url AS "finalizeUrl", o.ca_expires_at AS "caExpiresAt",
  o.watched_until AS "watchedUntil", o.ignore_caa AS "ignoreCaa",
  o.needed_by AS "neededBy", o.replaces, o.request_id AS "requestId", o.created_at AS "createdAt", o.updated_at AS "updatedAt",
  (SELECT c.id FROM certificates c WHERE c.order_id = o.id) AS "certificateId",
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', a.id, 'identifier', a.identifier, 'wildcard', a.wildcard, 'url', a.url, 'challengeUrl', a.challenge_url,
            'txtName', a.txt_name, 'txtValue', a.txt_value, 'status', a.status, 'evidence', a.evidence, 'diagnosis', a.diagnosis, 'checkedAt', a.checked_at
          ) ORDER BY a.identifier, a.wildcard), '[]')
     FROM authorizations a WHERE a.order_id = o.id) AS authorizations`;

export type OrderRow = Omit<Order, 'authorizations'> & {
  authorizations: (Omit<Authorization, 'checkedAt'> & { checkedAt: string | null })[];
};

export const toOrder = ({ authorizations, ...order }: OrderRow): Order => ({
  ...order,
  authorizations: authorizations.map((one) => ({ ...one, checkedAt: one.checkedAt === null ? null : new Date(one.checkedAt) })),
});
