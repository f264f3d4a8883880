import { terminal } from '@certwright/core';
import type { Db } from './client';
import { Prisma } from './generated/client';
import { type SealedBox, wrongMasterKey } from './sealed-box';

const PLACE = { column: 'sealing_key.canary', row: '1' };

/**
 * Proves at start that this process has the master key the database was sealed with; the first process ever to start
 * settles which one that is.
 * @throws Problem `sealing_key_missing` (terminal) when it is another one, `database_not_migrated` (terminal).
 */
export async function verifySealingKey(db: Db, box: SealedBox): Promise<void> {
  await settle(db, box);
  const { keyId, canary } = await db.prisma.sealingKey.findUniqueOrThrow({ where: { id: 1 } });
  if (keyId !== box.keyId) throw wrongMasterKey(keyId, box.keyId);
  box.open(canary, PLACE);
}

async function settle(db: Db, box: SealedBox): Promise<void> {
  try {
    const data = [{ keyId: box.keyId, canary: box.seal('certwright', PLACE) }];
    await db.prisma.sealingKey.createMany({ data, skipDuplicates: true });
  } catch (cause) {
    const isMissingTable = cause instanceof Prisma.PrismaClientKnownRequestError && cause.code === 'P2021';
    if (!isMissingTable) throw cause;
    throw terminal('database_not_migrated', 'The database has no tables yet: run npm run db:migrate first.', { cause });
  }
}
