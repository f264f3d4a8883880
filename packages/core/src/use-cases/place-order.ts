import { challengeName } from '../domain';
import type { OrderJob } from '../jobs';
import { type OrderTimeouts, phaseDeadline } from '../order';
import type { AcmeAccount, AcmeAuthorization } from '../acme';
import type { AcmeGateway, AuthorizationInput, KeyMaker } from '../ports';
import { terminal } from '../problem';
import { type AccountDeps, asAccount, ensureAccount } from './ensure-account';
import { type OrderWork, workOnOrder } from './work-on-order';

export interface PlaceOrderDeps extends OrderWork, AccountDeps {
  acme: Pick<AcmeGateway, 'directoryUrl' | 'newAccount' | 'newOrder' | 'getAuthorization' | 'dns01Value'>;
  keys: Pick<KeyMaker, 'accountKey'>;
  /** Contact address of the account. */
  email: string | null;
  timeouts: OrderTimeouts;
}

/**
 * `new` to `awaiting_dns`, or to `ready` where the CA reuses earlier authorizations: sends newOrder (RFC 8555 section
 * 7.4), reads the authorizations, and stores the TXT values that the customer must publish. newOrder is not idempotent:
 * a crash before the order URL is stored leaves one pending order behind at the CA, never a certificate.
 */
export function placeOrder(deps: PlaceOrderDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'place-order', async (lease) => {
    const { names, profile } = lease.order;
    const account = await ensureAccount(deps, deps.email);
    const placed = await asAccount(deps, account, () => deps.acme.newOrder(account, { names, profile }));
    if (placed.status === 'invalid') {
      throw terminal('acme_order_invalid', placed.error?.detail ?? 'The CA refused the order without a reason.', {
        ...(placed.error && { acme: placed.error }),
      });
    }
    const authorizations: AuthorizationInput[] = [];
    for (const url of placed.authorizationUrls) {
      authorizations.push(await toInput(deps, account, await deps.acme.getAuthorization(account, url)));
    }
    const to = authorizations.every((one) => one.status === 'valid') ? 'ready' : 'awaiting_dns';
    const now = lease.now();
    const deadline = phaseDeadline(to, now, deps.timeouts).getTime();
    await deps.orders.advance(lease, to, {
      accountId: account.id,
      acmeUrl: placed.url,
      finalizeUrl: placed.finalizeUrl,
      authorizations,
      dueAt: now,
      deadlineAt: new Date(Math.min(deadline, placed.expires?.getTime() ?? Infinity)),
    });
  });
}

async function toInput(
  deps: Pick<PlaceOrderDeps, 'acme'>,
  account: AcmeAccount,
  authorization: AcmeAuthorization,
): Promise<AuthorizationInput> {
  const { identifier, wildcard, url, status, dns01 } = authorization;
  if (status !== 'pending' && status !== 'valid') {
    throw terminal('acme_order_invalid', `The CA's authorization for ${identifier} is ${status}.`);
  }
  if (!dns01) throw terminal('acme_rejected', `The CA offers no dns-01 challenge for ${identifier}.`);
  return {
    identifier,
    wildcard,
    url,
    status,
    challengeUrl: dns01.url,
    txtName: challengeName(identifier),
    txtValue: await deps.acme.dns01Value(account, dns01.token),
  };
}
