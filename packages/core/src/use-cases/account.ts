import type { AcmeAccount } from '../acme';
import type { AccountStore, AcmeGateway, KeyMaker, Lease } from '../ports';
import { Problem, transient, waitFor } from '../problem';
import { reasonOf } from './work-on-order';

export interface AccountDeps {
  accounts: AccountStore;
  acme: AcmeGateway;
  keys: KeyMaker;
  /** Contact address of the account. */
  email: string | null;
}

/** How far those who wait for the end of a pause are spread, in milliseconds. */
const SPREAD_MS = 30_000;

/**
 * The CA as an account speaks to it, for one order: what the CA says of the account (unknown, paused) is kept on the account
 * before it is thrown on.
 */
export type Ca = ReturnType<typeof speakAs>;

/** The account for this directory and e-mail, for an order that is to be placed. @throws Problem where the CA asked to wait */
export async function accountToOrder(deps: AccountDeps, lease: Lease): Promise<{ account: AcmeAccount; ca: Ca }> {
  const found = await deps.accounts.findOrCreate(deps.acme.directoryUrl, deps.email, () => deps.keys.accountKey());
  const account = await ready(deps, lease, found);
  assertNoPause(account, account.ordersPausedUntil, lease.now());
  return { account, ca: speakAs(deps, account) };
}

/** The account that placed the order: only its key can speak for it. @throws Problem where the CA asked to wait */
export async function accountOf(deps: AccountDeps, lease: Lease): Promise<Ca> {
  const { account, order } = lease;
  if (!account) throw new TypeError(`order ${order.id} is ${order.status} without an account`);
  return speakAs(deps, await ready(deps, lease, account));
}

/**
 * Registered with the CA if it isn't yet. The key is stored before the CA hears of it, so a crash, or a second worker at the
 * same moment, registers the same key again and gets the same account.
 */
async function ready(deps: AccountDeps, lease: Lease, account: AcmeAccount): Promise<AcmeAccount> {
  assertNoPause(account, account.pausedUntil, lease.now());
  if (account.url !== null) return account;
  const url = await heeded(deps, account, () => deps.acme.newAccount(account.privateKeyPem, deps.email));
  await deps.accounts.setUrl(account.id, null, url);
  return { ...account, url };
}

function speakAs(deps: AccountDeps, account: AcmeAccount) {
  const as =
    <A extends unknown[], R>(request: (account: AcmeAccount, ...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      heeded(deps, account, () => request(account, ...args));
  const { newOrder, getOrder, getAuthorization, respondToChallenge, finalize, downloadCertificate, dns01Value } = deps.acme;
  return {
    newOrder: as(newOrder),
    getOrder: as(getOrder),
    getAuthorization: as(getAuthorization),
    respondToChallenge: as(respondToChallenge),
    finalize: as(finalize),
    downloadCertificate: as(downloadCertificate),
    dns01Value: as(dns01Value),
  };
}

/** Runs a request and keeps on the account what the CA says of it. */
async function heeded<T>(deps: AccountDeps, account: AcmeAccount, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.pause === 'account' || error.pause === 'orders') {
      await deps.accounts.pause(account.id, error.pause, error.retryAfterMs ?? 0, reasonOf(error, new Date()));
    }
    if (error.code !== 'acme_account_unknown') throw error;
    await deps.accounts.setUrl(account.id, account.url, null);
    throw transient('acme_account_unknown', 'The CA no longer knows our account; it is registered again.', {
      cause: error,
      ...(error.acme && { acme: error.acme }),
    });
  }
}

function assertNoPause(account: AcmeAccount, until: Date | null, now: Date): void {
  const waitMs = (until?.getTime() ?? 0) - now.getTime();
  if (waitMs <= 0) return;
  const { code = 'acme_rate_limited', detail = 'The CA has asked to wait.', acme } = account.pauseReason ?? {};
  const spreadMs = Math.random() * Math.min(SPREAD_MS, Math.max(1_000, waitMs / 4));
  throw waitFor(code, detail, waitMs + spreadMs, { untilMs: waitMs, ...(acme && { acme }) });
}
