import type { AccountStore, AcmeAccount } from '@certwright/core';
import { randomUUID } from 'node:crypto';
import type { Db } from './client';
import type { SealedBox } from './sealed-box';

const place = (id: string) => ({ column: 'accounts.sealed_key', row: id });

export function createAccountStore(db: Db, box: SealedBox): AccountStore {
  const open = (row: { id: string; sealedKey: Uint8Array; accountUrl: string | null }): AcmeAccount => ({
    id: row.id,
    privateKeyPem: box.open(row.sealedKey, place(row.id)),
    url: row.accountUrl,
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

    async setUrl(id, accountUrl) {
      await db.account.update({ where: { id }, data: { accountUrl } });
    },
  };
}
