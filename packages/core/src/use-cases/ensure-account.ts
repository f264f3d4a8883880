import type { AcmeAccount } from '../acme';
import type { Order } from '../model';
import type { AccountStore, AcmeGateway, KeyMaker } from '../ports';
import { Problem, transient } from '../problem';

export interface AccountDeps {
  accounts: AccountStore;
  acme: Pick<AcmeGateway, 'directoryUrl' | 'newAccount'>;
  keys: Pick<KeyMaker, 'accountKey'>;
}

/**
 * The account for this directory and e-mail, registered with the CA if it isn't yet. The key is stored before the CA
 * hears of it, so a crash, or a second worker at the same moment, registers the same key again and gets the same account.
 */
export async function ensureAccount(deps: AccountDeps, email: string | null): Promise<AcmeAccount> {
  const account = await deps.accounts.findOrCreate(deps.acme.directoryUrl, email, () => deps.keys.accountKey());
  if (account.url) return account;
  const url = await deps.acme.newAccount(account.privateKeyPem, email);
  await deps.accounts.setUrl(account.id, url);
  return { ...account, url };
}

/** The account that placed the order: only its key can speak for it. */
export async function accountOf(deps: { accounts: AccountStore }, order: Order): Promise<AcmeAccount> {
  const account = order.accountId ? await deps.accounts.get(order.accountId) : null;
  if (!account) throw new TypeError(`order ${order.id} is ${order.status} without an account`);
  return account;
}

/** Runs a CA request; an account the CA no longer knows is registered anew before the next try. */
export async function asAccount<T>(
  deps: { accounts: AccountStore },
  account: AcmeAccount,
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'acme_account_unknown') throw error;
    await deps.accounts.setUrl(account.id, null);
    throw transient('acme_account_unknown', 'The CA no longer knows our account; it will be registered again.', {
      cause: error,
      ...(error.acme && { acme: error.acme }),
    });
  }
}
