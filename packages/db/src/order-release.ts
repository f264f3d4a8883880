import type { AuthorizationNote, NextLook, Order, OrderReason } from '@certwright/core';
import type { Db } from './client';
import { gather, list } from './gather';
import { Prisma } from './generated/client';
import { afterwards, type HeldLease, news, reasonJson, writeThrough, written } from './order-lease';
import { storable } from './storable';

type Shown = Required<Pick<Order, 'dueAt' | 'reason' | 'failures' | 'crashes' | 'deadlineAt'>>;

interface Quiet {
  lease: HeldLease;
  shows: Shown;
}

/**
 * Sets when orders are due again and lets go of their leases. Where that tells nothing new, as with thousands of orders that wait for a
 * record that isn't there, orders share a statement; each is guarded by its own lease all the same.
 */
export function createReleases(db: Db): (lease: HeldLease, next: NextLook) => Promise<void> {
  const releaseQuietly = gather((quiet: Quiet[]) => release(db, quiet));
  return async (lease, { dueAt, reason, failed, deadlineAt }) => {
    const { order } = lease;
    const shows: Shown = {
      dueAt,
      reason,
      failures: failed ? order.failures + 1 : 0,
      // What sets an order apart because workers died on it must not make them forgotten.
      crashes: reason?.code === 'worker_crashed' ? order.crashes : 0,
      deadlineAt: deadlineAt ?? order.deadlineAt,
    };
    const after = afterwards(lease, shows);
    const isQuiet = lease.placed === null && lease.notes.every(({ status }) => status === undefined) && news(order, after).length === 0;
    if (isQuiet && (await releaseQuietly({ lease, shows }))) return written(lease, after, true);
    await writeThrough(db, lease, { set: columns(shows), shows, letGo: true });
  };
}

const columns = ({ dueAt, reason, failures, crashes, deadlineAt }: Shown): Prisma.Sql[] => [
  Prisma.sql`due_at = ${dueAt}`,
  Prisma.sql`reason = ${reasonJson(reason)}`,
  Prisma.sql`failures = ${failures}`,
  Prisma.sql`crashes = ${crashes}`,
  Prisma.sql`deadline_at = ${deadlineAt}`,
];

/** For each, whether it was written: not where its lease is lost (who has it now may be in the same run), nor where somebody else is writing the row this very moment. */
async function release(db: Db, quiet: Quiet[]): Promise<boolean[]> {
  const of = (read: (one: Quiet) => unknown, type: string): Prisma.Sql => list(quiet.map(read), type);
  const notes = quiet.flatMap(({ lease: { order, notes, token } }) => notes.map((note) => ({ note, orderId: order.id, token, known: order.authorizations.find(({ id }) => id === note.id) })));
  const ofNotes = (read: (one: (typeof notes)[number]) => unknown, type: string): Prisma.Sql => list(notes.map(read), type);
  const rows = await db.run<{ id: string; token: number }>(Prisma.sql`
    WITH guarded AS (
      SELECT o.id, q.due_at, q.reason, q.failures, q.crashes, q.deadline_at
        FROM unnest(${of(({ lease }) => lease.order.id, 'uuid')}, ${of(({ lease }) => lease.order.tenantId, 'uuid')},
                    ${of(({ lease }) => lease.order.status, 'order_status')}, ${of(({ lease }) => lease.token, 'int')},
                    ${of(({ shows }) => shows.dueAt, 'timestamptz')}, ${of(({ shows }) => reasonText(shows.reason), 'text')},
                    ${of(({ shows }) => shows.failures, 'int')}, ${of(({ shows }) => shows.crashes, 'int')},
                    ${of(({ shows }) => shows.deadlineAt, 'timestamptz')})
             AS q(id, tenant_id, status, token, due_at, reason, failures, crashes, deadline_at)
        JOIN orders o ON o.id = q.id AND o.tenant_id = q.tenant_id AND o.status = q.status AND o.lease_token = q.token
         FOR UPDATE OF o SKIP LOCKED
    ), released AS (
      UPDATE orders o
         SET lease_until = NULL, updated_at = clock_timestamp(), due_at = g.due_at, reason = g.reason::jsonb, failures = g.failures,
             crashes = g.crashes, deadline_at = g.deadline_at
        FROM guarded g WHERE o.id = g.id
      RETURNING o.id, o.lease_token AS token
    ), noted AS (
      UPDATE authorizations a
         SET evidence = coalesce(n.evidence::jsonb, a.evidence), diagnosis = coalesce(n.diagnosis::jsonb, a.diagnosis), checked_at = clock_timestamp()
        FROM released r, unnest(${ofNotes(({ note }) => note.id, 'uuid')}, ${ofNotes(({ orderId }) => orderId, 'uuid')}, ${ofNotes(({ token }) => token, 'int')},
                                ${ofNotes(({ note, known }) => changed(note.evidence, known?.evidence), 'text')},
                                ${ofNotes(({ note, known }) => changed(note.diagnosis, known?.diagnosis), 'text')}) AS n(id, order_id, token, evidence, diagnosis)
       WHERE a.order_id = r.id AND a.id = n.id AND n.order_id = r.id AND n.token = r.token
    )
    SELECT id, token FROM released`);
  const released = new Map(rows.map(({ id, token }) => [id, token]));
  return quiet.map(({ lease }) => released.get(lease.order.id) === lease.token);
}

const reasonText = (reason: OrderReason | null): string | null => (reason === null ? null : storable(reason));

/** Null where it is what is stored already. */
function changed<T extends AuthorizationNote['evidence'] | AuthorizationNote['diagnosis']>(noted: T, known: T | null | undefined): string | null {
  if (noted === undefined || noted === known) return null;
  return storable(noted);
}
