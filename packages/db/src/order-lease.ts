import {
  type AuthorizationNote,
  type Lease,
  type Order,
  type OrderReason,
  type OrderStatus,
  type Placed,
  terminal,
  type TxtEvidence,
} from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { storable } from './storable';

/** A lease as the order store writes through it: the order it shows changes with each write. */
export interface HeldLease extends Lease {
  order: Order;
  isHeld: boolean;
  readonly leaseMs: number;
  /** What the next write stores, too. */
  notes: AuthorizationNote[];
  placed: Placed | null;
}

/** Every lease that reaches the store was handed out by its own `claim`. */
export const held = (lease: Lease): HeldLease => lease as HeldLease;

export interface GuardedWrite {
  /** Columns and their new values, besides those of the lease. */
  set?: Prisma.Sql[];
  /** What changes in the order as the lease shows it. */
  shows?: Partial<Order>;
  letGo?: boolean;
  /** Further `WITH` parts, which write only where `guarded` has the order. */
  also?: Prisma.Sql[];
}

/**
 * The one way an order is written by a worker, one statement: only while this lease's token and the status it was read at
 * still stand. Stores what was noted, adds an event where status or reason change, and renews the lease unless it lets go.
 * @throws Problem `lease_lost` when they don't: nothing was written.
 */
export async function writeThrough(
  db: Db,
  lease: HeldLease,
  { set = [], shows = {}, letGo = false, also = [] }: GuardedWrite,
): Promise<void> {
  const { id, tenantId, status } = lease.order;
  const after = afterwards(lease, shows);
  const leaseUntil = letGo
    ? Prisma.sql`NULL`
    : Prisma.sql`clock_timestamp() + ${lease.leaseMs} * interval '1 millisecond'`;
  const columns = [Prisma.sql`lease_until = ${leaseUntil}`, Prisma.sql`updated_at = clock_timestamp()`, ...placedColumns(lease.placed), ...set];
  const parts = [...noted(lease), ...events(lease.order, after), ...also].map((part) => Prisma.sql`, ${part}`);
  const [row] = await db.run<{ written: number }>(Prisma.sql`
    WITH guarded AS (
      UPDATE orders SET ${Prisma.join(columns)}
       WHERE id = ${id}::uuid AND tenant_id = ${tenantId}::uuid
         AND status = ${status}::order_status AND lease_token = ${lease.token}
      RETURNING id
    )${parts.length > 0 ? Prisma.join(parts, '') : Prisma.empty}
    SELECT count(*)::int AS written FROM guarded`);
  if (row?.written !== 1) {
    throw terminal('lease_lost', 'Another worker has taken this order over, or it is gone.');
  }
  written(lease, after, letGo);
}

/** The order as it is once what was noted, and `shows`, is stored. */
export const afterwards = (lease: HeldLease, shows: Partial<Order>): Order => ({
  ...withNotes(lease.order, lease.notes, lease.now()),
  ...lease.placed,
  ...shows,
});

/** The lease after a write. */
export function written(lease: HeldLease, after: Order, letGo: boolean): void {
  lease.order = after;
  lease.notes = [];
  lease.placed = null;
  lease.isHeld = !letGo;
}

function placedColumns(placed: Placed | null): Prisma.Sql[] {
  if (!placed) return [];
  const { accountId, acmeUrl, finalizeUrl, caExpiresAt } = placed;
  return [Prisma.sql`account_id = ${accountId}::uuid, acme_url = ${acmeUrl}, finalize_url = ${finalizeUrl}, ca_expires_at = ${caExpiresAt}`];
}

function withNotes(order: Order, notes: AuthorizationNote[], now: Date): Order {
  const authorizations = order.authorizations.map((one) => {
    const mine = notes.filter(({ id }) => id === one.id);
    return mine.reduce((known, note) => ({ ...known, ...note, ...(note.evidence && { checkedAt: now }) }), one);
  });
  return { ...order, authorizations };
}

function noted({ notes }: HeldLease): Prisma.Sql[] {
  if (notes.length === 0) return [];
  return [
    Prisma.sql`noted AS (
      UPDATE authorizations a
         SET evidence = coalesce(n.evidence, a.evidence), diagnosis = coalesce(n.diagnosis, a.diagnosis),
             status = coalesce(n.status, a.status),
             checked_at = CASE WHEN n.evidence IS NULL THEN a.checked_at ELSE clock_timestamp() END
        FROM guarded g, jsonb_to_recordset(${storable(notes)}::jsonb) AS n(id uuid, evidence jsonb, diagnosis jsonb, status authorization_status)
       WHERE a.order_id = g.id AND a.id = n.id)`,
  ];
}

/** What a change of an order adds to the story of its domain. */
export function news(before: Order, after: Order): object[] {
  const isNews =
    before.status !== after.status || (after.reason !== null && essence(before.reason) !== essence(after.reason));
  const order = isNews ? [{ kind: 'order', status: after.status, generation: after.generation, data: after.reason }] : [];
  return [...dnsChanges(before, after), ...order];
}

/** One row for each change, in the statement that makes it. */
function events(before: Order, after: Order): Prisma.Sql[] {
  const rows = news(before, after);
  if (rows.length === 0) return [];
  return [
    Prisma.sql`told AS (
      INSERT INTO domain_events (domain_id, order_id, at, kind, status, generation, data)
      SELECT ${after.domainId}::uuid, g.id, clock_timestamp(), n.kind, n.status, n.generation, n.data
        FROM guarded g, jsonb_to_recordset(${storable(rows)}::jsonb)
          AS n(kind event_kind, status order_status, generation int, data jsonb)
       WHERE n.kind <> 'dns' OR (
         SELECT count(*) < ${MAX_DNS_EVENTS} AND coalesce(bool_and(e.at < clock_timestamp() - ${SAME_AGAIN}::interval) FILTER (
                  WHERE e.data->>'fqdn' = n.data->>'fqdn' AND e.data->'diagnosis'->>'code' = n.data->'diagnosis'->>'code'), true)
           FROM domain_events e WHERE e.order_id = g.id AND e.kind = 'dns'))`,
  ];
}

/** Whoever runs a zone can have it say something else at each look: the same again so soon is no news, and a story has an end. */
const SAME_AGAIN = '10 minutes';
const MAX_DNS_EVENTS = 500;

/** Names whose diagnosis is another than before; two values of one name share it. */
function dnsChanges(before: Order, after: Order) {
  const changed = after.authorizations.filter(({ id, diagnosis }) => {
    const known = before.authorizations.find((one) => one.id === id);
    return diagnosis !== null && known?.diagnosis?.code !== diagnosis.code;
  });
  const names = new Map(changed.map(({ txtName, diagnosis, evidence }) => [txtName, { fqdn: txtName, diagnosis, evidence: evidence && brief(evidence) }]));
  return [...names.values()].map((data) => ({ kind: 'dns', data }));
}

/** A few of each server's values, and not all of them: the order has the rest. */
const brief = (evidence: TxtEvidence): TxtEvidence => ({
  ...evidence,
  servers: evidence.servers.map((one) => ({ ...one, values: one.values.slice(0, 3).map((value) => value.slice(0, 100)) })),
});

/** Two reasons of one essence are one event: each look at DNS may word it differently. */
const essence = (reason: OrderReason | null): string => `${reason?.code} ${reason?.acme?.type}`;

export const reasonJson = (reason: OrderReason | null): Prisma.Sql =>
  reason ? Prisma.sql`${storable(reason)}::jsonb` : Prisma.sql`NULL::jsonb`;

/** The columns of a transition, and what the lease then shows. */
export function transition(lease: HeldLease, to: OrderStatus, reason: OrderReason | null): Required<Pick<GuardedWrite, 'set' | 'shows'>> {
  return {
    set: [
      Prisma.sql`status = ${to}::order_status`,
      Prisma.sql`status_since = clock_timestamp()`,
      Prisma.sql`reason = ${reasonJson(reason)}`,
      Prisma.sql`failures = 0`,
      Prisma.sql`crashes = 0`,
    ],
    shows: { status: to, statusSince: lease.now(), reason, failures: 0, crashes: 0 },
  };
}
