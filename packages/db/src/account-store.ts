import type { AccountStore, AcmeAccount, OrderReason } from '@certwright/core';
import { randomUUID } from 'node:crypto';
import type { Db } from './client';
import { Prisma } from './generated/client';
import type { SealedBox } from './sealed-box';

const place = (id: string) => ({ column: 'accounts.sealed_key', row: id });

type Row = Prisma.AccountGetPayload<object>;

export function createAccountStore(db: Db, box: SealedBox): AccountStore {
  /** A raw statement: every step of every order reads its account. */
  async function read(condition: Prisma.Sql): Promise<AcmeAccount | null> {
    const [row] = await db.$queryRaw<Pick<Row, 'id' | 'sealedKey' | 'accountUrl' | 'pausedUntil' | 'ordersPausedUntil' | 'pauseReason'>[]>`
      SELECT id, sealed_key AS "sealedKey", account_url AS "accountUrl", paused_until AS "pausedUntil",
             orders_paused_until AS "ordersPausedUntil", pause_reason AS "pauseReason"
        FROM accounts WHERE ${condition}`;
    if (!row) return null;
    const { id, sealedKey, accountUrl: url, pausedUntil, ordersPausedUntil } = row;
    const pauseReason = row.pauseReason as OrderReason | null;
    return { id, privateKeyPem: box.open(sealedKey, place(id)), url, pausedUntil, ordersPausedUntil, pauseReason };
  }

  return {
    async findOrCreate(directoryUrl, email, newKeyPem) {
      const key = { directoryUrl, email: email ?? '' };
      const ours = Prisma.sql`directory_url = ${key.directoryUrl} AND email = ${key.email}`;
      const found = await read(ours);
      if (found) return found;
      const id = randomUUID();
      const sealedKey = box.seal(await newKeyPem(), place(id));
      // ON CONFLICT DO NOTHING: of several racers one inserts, and all read that one's row.
      await db.account.createMany({ data: [{ id, ...key, sealedKey }], skipDuplicates: true });
      const account = await read(ours);
      if (!account) throw new TypeError('the account is gone again');
      return account;
    },

    get: (id) => read(Prisma.sql`id = ${id}::uuid`),

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
