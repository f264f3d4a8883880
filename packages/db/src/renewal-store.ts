import type { IssuedCertificate, Order, OrderReason, Renewal, RenewalPlan, RenewalStore } from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { storable } from './storable';

type Row = Omit<Renewal, 'window'> & { windowStart: Date; windowEnd: Date };

const columns = Prisma.sql`
  r.domain_id AS "domainId", r.tenant_id AS "tenantId", r.certificate_id AS "certificateId", r.issued_at AS "issuedAt", r.not_before AS "notBefore",
  r.not_after AS "notAfter", r.directory_url AS "directoryUrl", r.cert_id AS "certId", r.window_start AS "windowStart",
  r.window_end AS "windowEnd", r.renew_at AS "renewAt", r.ask_at AS "askAt", r.explanation_url AS "explanationUrl", r.manual, r.failures,
  r.last_error AS "lastError", r.reminders, r.told`;

const toRenewal = ({ windowStart: start, windowEnd: end, ...row }: Row): Renewal => ({ ...row, window: { start, end } });

/** The searches, by themselves for `EXPLAIN`. The time is read once: an index takes no condition whose value may change from row to row. */
export const dueRenewals = (limit: number): Prisma.Sql => Prisma.sql`
  SELECT domain_id FROM renewals WHERE look_at <= (SELECT clock_timestamp()) ORDER BY look_at LIMIT ${limit} FOR UPDATE SKIP LOCKED`;

export const claimRenewals = (limit: number, claimMs: number): Prisma.Sql => Prisma.sql`
  WITH due AS (${dueRenewals(limit)})
  UPDATE renewals r SET look_at = clock_timestamp() + ${claimMs} * interval '1 millisecond' FROM due WHERE r.domain_id = due.domain_id
  RETURNING ${columns}`;

export const renewalCensus = Prisma.sql`
  SELECT (SELECT count(*)::int FROM renewals WHERE failures > 0) AS failing,
         (SELECT count(*)::int FROM renewals WHERE not_after <= (SELECT clock_timestamp())) AS expired,
         (SELECT count(*)::int FROM renewals WHERE look_at <= (SELECT clock_timestamp()) - interval '10 minutes') AS overdue,
         (SELECT min(not_after) FROM renewals WHERE not_after > (SELECT clock_timestamp())) AS "soonestExpiry"`;

export function createRenewalStore(db: Db): RenewalStore {
  return {
    async get(tenantId, domainId) {
      const [row] = await db.run<Row>(Prisma.sql`SELECT ${columns} FROM renewals r WHERE r.domain_id = ${domainId}::uuid AND r.tenant_id = ${tenantId}::uuid`);
      return row ? toRenewal(row) : null;
    },

    async claimDue(limit, claimMs) {
      const [status] = await db.run<{ now: Date; inLine: number }>(Prisma.sql`
        SELECT clock_timestamp() AS now, (SELECT count(*)::int FROM orders
                WHERE status = 'new' AND needed_by IS NOT NULL AND reason->>'code' IS DISTINCT FROM 'dns_not_ready') AS "inLine"`);
      const rows = await db.run<Row>(claimRenewals(limit, claimMs));
      return { now: status?.now ?? new Date(), inLine: status?.inLine ?? 0, due: rows.map(toRenewal) };
    },

    async note({ domainId, certificateId, failures: known }, { lookAt, news, ...change }) {
      const { window, renewAt, askAt, certId, explanationUrl, failures, lastError, reminders, told } = change;
      const set = [
        Prisma.sql`look_at = ${lookAt}`,
        ...(window ? [Prisma.sql`window_start = ${window.start}, window_end = ${window.end}`] : []),
        ...(renewAt === undefined ? [] : [Prisma.sql`renew_at = ${renewAt}`]),
        ...(askAt === undefined ? [] : [Prisma.sql`ask_at = ${askAt}`]),
        ...(certId === undefined ? [] : [Prisma.sql`cert_id = ${certId}`]),
        ...(explanationUrl === undefined ? [] : [Prisma.sql`explanation_url = ${explanationUrl}`]),
        ...(failures === undefined ? [] : [Prisma.sql`failures = ${failures}`]),
        ...(lastError === undefined ? [] : [Prisma.sql`last_error = ${lastError === null ? null : storable(lastError)}::jsonb`]),
        ...(reminders === undefined ? [] : [Prisma.sql`reminders = ${reminders}`]),
        ...(told === undefined ? [] : [Prisma.sql`told = ${told}`]),
      ];
      const tell = Prisma.sql`
        INSERT INTO domain_events (domain_id, at, kind, data)
        SELECT domain_id, clock_timestamp(), 'renewal', n.value FROM noted, jsonb_array_elements(${storable(news)}::jsonb) AS n`;
      await db.run(Prisma.sql`
        WITH noted AS (
          UPDATE renewals SET ${Prisma.join(set)}
           WHERE domain_id = ${domainId}::uuid AND certificate_id = ${certificateId}::uuid AND failures = ${known} RETURNING domain_id
        ) ${news.length > 0 ? tell : Prisma.sql`SELECT 1`}`);
    },

    async adopt(certificate, plan) {
      const issued = Prisma.sql`issued AS (SELECT ${certificate.id}::uuid AS id)`;
      await db.run(Prisma.sql`WITH ${issued}, ${insertRenewal(certificate, certificate, plan)} SELECT 1`);
    },

    async census() {
      const [row] = await db.run<Awaited<ReturnType<RenewalStore['census']>>>(renewalCensus);
      return row ?? { failing: 0, expired: 0, overdue: 0, soonestExpiry: null };
    },
  };
}

/** For the statement that stores a certificate: the domain's renewal starts anew. */
export function insertRenewal(order: Pick<Order, 'domainId' | 'tenantId'>, issued: Pick<IssuedCertificate, 'notBefore' | 'notAfter'>, plan: RenewalPlan): Prisma.Sql {
  const { directoryUrl, certId, window, renewAt, askAt, manual } = plan;
  const lookAt = askAt !== null && askAt < renewAt ? askAt : renewAt;
  return Prisma.sql`renewal AS (
    INSERT INTO renewals (domain_id, tenant_id, certificate_id, issued_at, not_before, not_after, directory_url, cert_id, window_start,
                          window_end, renew_at, ask_at, manual, look_at)
    SELECT ${order.domainId}::uuid, ${order.tenantId}::uuid, i.id, clock_timestamp(), ${issued.notBefore}, ${issued.notAfter}, ${directoryUrl}, ${certId},
           ${window.start}, ${window.end}, ${renewAt}, ${askAt}, coalesce(${manual}::boolean, true), ${lookAt}
      FROM issued i
    ON CONFLICT (domain_id) DO UPDATE
       SET certificate_id = excluded.certificate_id, issued_at = excluded.issued_at, not_before = excluded.not_before, not_after = excluded.not_after,
           directory_url = excluded.directory_url, cert_id = excluded.cert_id, window_start = excluded.window_start,
           window_end = excluded.window_end, renew_at = excluded.renew_at, ask_at = excluded.ask_at, look_at = excluded.look_at,
           manual = coalesce(${manual}::boolean, renewals.manual), explanation_url = NULL, failures = 0, last_error = NULL, reminders = 0, told = NULL)`;
}

/** For the statement that ends a renewal's order without a certificate: when to try again is settled at the next look, which is now. */
export const failRenewal = ({ domainId }: Order, reason: OrderReason): Prisma.Sql => Prisma.sql`renewal AS (
  UPDATE renewals r SET failures = failures + 1, last_error = ${storable(reason)}::jsonb, renew_at = NULL, look_at = clock_timestamp()
    FROM guarded WHERE r.domain_id = ${domainId}::uuid)`;
