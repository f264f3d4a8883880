import type { AccountStore, AcmeAccount, OrderReason } from '@certwright/core';
import { randomUUID } from 'node:crypto';
import type { Db } from './client';
import { Prisma } from './generated/client';
import type { SealedBox } from './sealed-box';

const place = (id: string) => ({ column: 'accounts.sealed_key', row: id });

export function createAccountStore(db: Db, box: SealedBox): AccountStore {
  const open = (row: Prisma.AccountGetPayload<object>): AcmeAccount => ({
    id: row.id,
    privateKeyPem: box.open(row.sealedKey, place(row.id)),
    url: row.accountUrl,
    pausedUntil: row.pausedUntil,
    ordersPausedUntil: row.ordersPausedUntil,
    pauseReason: row.pauseReason as OrderReason | null,
  });

  return {
    async findOrCreate(directoryUrl, email, newKeyPem) {
      const key = { directoryUrl, email: email ?? '' };
      const found = await db.account.findUnique({ where: { directoryUrl_email: key } });
      if (found) return open(found);
      const id = randomUUID();
      const sealedKey = box.seal(await newKeyPem(), place(id));
      // ON CONFLICT DO NOTHING: of several racers one inserts, and all read that one's row.
      await db.account.createMany({ data: [{ id, ...key, sealedKey }], skipDuplicates: true });
      return open(await db.account.findUniqueOrThrow({ where: { directoryUrl_email: key } }));
    },

    async get(id) {
      const row = await db.account.findUnique({ where: { id } });
      return row && open(row);
    },

    async setUrl(id, from, to) {
      await db.account.updateMany({ where: { id, accountUrl: from }, data: { accountUrl: to } });
    },

    async pause(id, scope, ms, reason) {
      const column = scope === 'account' ? Prisma.sql`paused_until` : Prisma.sql`orders_paused_until`;
      const until = Prisma.sql`clock_timestamp() + ${ms} * interval '1 millisecond'`;
      await db.$executeRaw`
        UPDATE accounts SET ${column} = ${until}, pause_reason = ${JSON.stringify(reason)}::jsonb
         WHERE id = ${id}::uuid AND (${column} IS NULL OR ${column} < ${until})`;
    },
  };
}
