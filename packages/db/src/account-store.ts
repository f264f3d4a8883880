import type { AccountStore, AcmeAccount, OrderReason } from '@certwright/core';
import { randomUUID } from 'node:crypto';
import type { Db } from './client';
import { Prisma } from './generated/client';
import type { SealedBox } from './sealed-box';
import { storable } from './storable';

const place = (id: string) => ({ column: 'accounts.sealed_key', row: id });

type Row = Pick<
  Prisma.AccountGetPayload<object>,
  'id' | 'sealedKey' | 'accountUrl' | 'pausedUntil' | 'ordersPausedUntil' | 'pauseReason'
>;

/** The account `a`, for `accountFrom`: raw, as every step of every order reads it. */
export const accountColumns = Prisma.sql`
  a.id AS "accountId", a.sealed_key AS "sealedKey", a.account_url AS "accountUrl", a.paused_until AS "pausedUntil",
  a.orders_paused_until AS "ordersPausedUntil", a.pause_reason AS "pauseReason"`;

export type AccountRow = Omit<Row, 'id'> & { accountId: string };

export const accountFrom = (row: AccountRow, box: SealedBox): AcmeAccount => ({
  id: row.accountId,
  privateKeyPem: box.open(row.sealedKey, place(row.accountId)),
  url: row.accountUrl,
  pausedUntil: row.pausedUntil,
  ordersPausedUntil: row.ordersPausedUntil,
  pauseReason: row.pauseReason as OrderReason | null,
});

export function createAccountStore(db: Db, box: SealedBox): AccountStore {
  async function read({ directoryUrl, email }: { directoryUrl: string; email: string }): Promise<AcmeAccount | null> {
    const [row] = await db.run<AccountRow>(Prisma.sql`
      SELECT ${accountColumns} FROM accounts a WHERE directory_url = ${directoryUrl} AND email = ${email}`);
    return row ? accountFrom(row, box) : null;
  }

  return {
    async findOrCreate(directoryUrl, email, newKeyPem) {
      const key = { directoryUrl, email: email ?? '' };
      const found = await read(key);
      if (found) return found;
      const id = randomUUID();
      const sealedKey = box.seal(await newKeyPem(), place(id));
      // ON CONFLICT DO NOTHING: of several racers one inserts, and all read that one's row.
      await db.prisma.account.createMany({ data: [{ id, ...key, sealedKey }], skipDuplicates: true });
      const account = await read(key);
      if (!account) throw new TypeError('the account is gone again');
      return account;
    },

    async setUrl(id, from, to) {
      await db.prisma.account.updateMany({ where: { id, accountUrl: from }, data: { accountUrl: to } });
    },

    async pause(id, scope, ms, reason) {
      const column = scope === 'account' ? Prisma.sql`paused_until` : Prisma.sql`orders_paused_until`;
      const until = Prisma.sql`clock_timestamp() + ${ms} * interval '1 millisecond'`;
      await db.run(Prisma.sql`
        UPDATE accounts SET ${column} = ${until}, pause_reason = ${storable(reason)}::jsonb
         WHERE id = ${id}::uuid AND (${column} IS NULL OR ${column} < ${until})`);
    },
  };
}
