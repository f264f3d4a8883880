import type { AccountStore, BudgetStore, CertificateStore, DomainStore, EventStore, OrderStore, RenewalStore } from '@certwright/core';
import { createAccountStore } from './account-store';
import { createBudgetStore } from './budget-store';
import { createCertificateStore } from './certificate-store';
import { createClient } from './client';
import { Prisma } from './generated/client';
import { createDomainStore } from './domain-store';
import { createEventStore } from './event-store';
import { createOrderStore } from './order-store';
import { createRenewalStore } from './renewal-store';
import { createSealedBox } from './sealed-box';
import { verifySealingKey } from './sealing-check';
import { mapOutages } from './unavailable';

export interface Database {
  domains: DomainStore;
  orders: OrderStore;
  certificates: CertificateStore;
  accounts: AccountStore;
  events: EventStore;
  renewals: RenewalStore;
  budgets: BudgetStore;
  /** @throws Problem `sealing_key_missing` when the database was sealed with another master key. */
  verifySealingKey(): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The stores over one pool of at most `poolMax` connections; none is opened before the first query.
 * Every method throws Problem `database_unavailable` (transient) when PostgreSQL is away.
 */
export function createDatabase({
  url,
  sealingKey,
  poolMax = 10,
}: {
  url: string;
  /** 32 bytes. */
  sealingKey: Buffer;
  poolMax?: number;
}): Database {
  const db = createClient(url, poolMax);
  const box = createSealedBox(sealingKey);
  return {
    domains: mapOutages(createDomainStore(db)),
    orders: mapOutages(createOrderStore(db, box)),
    certificates: mapOutages(createCertificateStore(db, box)),
    events: mapOutages(createEventStore(db)),
    renewals: mapOutages(createRenewalStore(db)),
    accounts: mapOutages(createAccountStore(db, box)),
    budgets: mapOutages(createBudgetStore(db)),
    ...mapOutages({
      verifySealingKey: () => verifySealingKey(db, box),
      ping: async () => {
        await db.run(Prisma.sql`SELECT 1`);
      },
    }),
    close: () => db.close(),
  };
}
