import type { AcmeAccount, AcmeAuthorization, AcmeOrder } from '../acme';
import { crashPoint } from '../crash-point';
import { challengeName } from '../domain';
import { registeredDomain } from '../hostname';
import type { OrderJob } from '../jobs';
import { phaseDeadline } from '../order';
import type { AuthorizationInput, BudgetStore, Lease, OrderBudget } from '../ports';
import { Problem, terminal, waitFor } from '../problem';
import { lookInLineMs } from '../renewal';
import { accountToOrder, type Ca } from './account';
import { ended } from './ca-trouble';
import { caaIssuer, type CaaIssuerDeps } from './caa-issuer';
import { dnsRefusal, type DnsRefusalDeps } from './dns-refusal';
import { moveOn, type OrderWork, workOnOrder } from './work-on-order';

export interface PlaceOrderDeps extends OrderWork, CaaIssuerDeps, DnsRefusalDeps {
  /** How soon to look at DNS again, in milliseconds (`POLL_INTERVAL`). */
  pollIntervalMs: number;
  budgets: BudgetStore;
  budget: OrderBudget;
}

/** Nobody can have set a value that they are only now being told: the first look waits for them, in milliseconds. */
const FIRST_LOOK_MS = 1_000;

/**
 * `new` to `awaiting_dns`, or to `ready` where the CA reuses earlier authorizations: sends newOrder (RFC 8555 section
 * 7.4), reads the authorizations, and stores the TXT values that the customer must publish. newOrder is not idempotent:
 * a crash before the order URL is stored leaves one pending order behind at the CA, never a certificate.
 */
export function placeOrder(deps: PlaceOrderDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'place-order', async (lease) => {
    const { id, neededBy } = lease.order;
    const { account, ca } = await accountToOrder(deps, lease);
    await assertDnsAllows(deps, lease, account);
    // Placed before, when its authorizations could not be read: newOrder is not sent twice, and not counted twice.
    const known = lease.order.acmeUrl;
    if (known === null) await takeTurn(deps, lease, account);
    const placed = known === null ? await newOrder(ca, lease) : await placedBefore(ca, lease, { accountId: account.id, url: known });
    crashPoint('after-new-order-sent', id);
    if (placed.status === 'invalid') {
      throw ended('acme_order_invalid', placed.error, { what: 'The CA has ended the order', generation: lease.order.generation });
    }
    const place = { accountId: account.id, acmeUrl: placed.url, finalizeUrl: placed.finalizeUrl };
    const authorizations: AuthorizationInput[] = [];
    const expiries = [placed.expires];
    try {
      for (const url of placed.authorizationUrls) {
        const authorization = await ca.getAuthorization(url);
        expiries.push(authorization.expires);
        authorizations.push(await toInput(ca, authorization));
      }
    } catch (error) {
      lease.notePlaced({ ...place, caExpiresAt: placed.expires });
      throw error;
    }
    const to = authorizations.every((one) => one.status === 'valid') ? 'ready' : 'awaiting_dns';
    const now = lease.now();
    await moveOn(deps, lease, to, {
      ...place,
      caExpiresAt: earliest(expiries),
      authorizations,
      dueAt: new Date(now.getTime() + (to === 'ready' ? 0 : Math.min(FIRST_LOOK_MS, deps.pollIntervalMs))),
      deadlineAt: phaseDeadline(to, now, deps.timeouts, neededBy),
      letGo: true,
    });
    crashPoint('after-order-placed', id);
  });
}

/** `replaces` is of use to the CA alone: where it refuses that (`alreadyReplaced`, RFC 9773 section 5), it is asked without. */
async function newOrder(ca: Ca, { order: { names, profile, replaces } }: Lease): Promise<AcmeOrder> {
  try {
    return await ca.newOrder({ names, profile, replaces });
  } catch (error) {
    if (replaces === null || !(error instanceof Problem) || error.code !== 'acme_replaces_refused') throw error;
    return ca.newOrder({ names, profile, replaces: null });
  }
}

/** @throws Problem; where the CA has lost the order, the next one is a new one */
async function placedBefore(ca: Ca, lease: Lease, { accountId, url }: { accountId: string; url: string }): Promise<AcmeOrder> {
  try {
    return await ca.getOrder(url);
  } catch (error) {
    const isGone = error instanceof Problem && (error.code === 'acme_order_gone' || error.code === 'acme_account_unknown');
    if (isGone) lease.notePlaced({ accountId, acmeUrl: null, finalizeUrl: null, caExpiresAt: null });
    throw error;
  }
}

/** The order is of no use any more once any part of it has expired. */
function earliest(dates: (Date | null)[]): Date | null {
  const times = dates.flatMap((date) => (date ? [date.getTime()] : []));
  return times.length > 0 ? new Date(Math.min(...times)) : null;
}

/** What must fail at the CA is not sent there. @throws Problem `dns_zone_missing`, `caa_forbids_issuer`; `dns_not_ready` (wait) */
async function assertDnsAllows(deps: PlaceOrderDeps, lease: Lease, account: AcmeAccount): Promise<void> {
  const { names, ignoreCaa } = lease.order;
  const refused = await dnsRefusal(deps, names, ignoreCaa ? null : () => caaIssuer(deps, account));
  if (!refused) return;
  const { code, detail, waitingHelps, advice } = refused;
  const told = advice ? { advice } : {};
  if (waitingHelps) throw waitFor('dns_not_ready', detail, lookAgainMs(lease), told);
  throw terminal(code, detail, told);
}

function lookAgainMs({ order, now }: Lease): number {
  const [least, most] = UNREACHABLE_WAIT_MS;
  const waitedMs = now().getTime() - order.statusSince.getTime();
  return Math.min(Math.max(least, waitedMs), most);
}

/** How soon a domain whose name servers don't answer is looked at again, in milliseconds: at first, and later. */
const UNREACHABLE_WAIT_MS = [5_000, 60_000] as const;

/** @throws Problem `acme_budget_spent` (wait) */
async function takeTurn(deps: PlaceOrderDeps, { order, now }: Lease, account: AcmeAccount): Promise<void> {
  const domain = registeredDomain(order.names[0] ?? '');
  const slot = await deps.budgets.takeSlot(account.id, order, domain, deps.budget);
  if (slot.kind === 'taken') return;
  const { per3Hours, perRegisteredDomainPerWeek } = deps.budget;
  const spent =
    slot.by === 'account'
      ? `The account's budget of ${per3Hours} orders in 3 hours is spent`
      : `The budget of ${perRegisteredDomainPerWeek} orders in 7 days for ${domain} is spent`;
  const retryAfterMs = lookInLineMs(slot.waitMs, order.neededBy, now());
  throw waitFor('acme_budget_spent', `${spent}; this order waits in line.`, retryAfterMs, { untilMs: slot.waitMs, budget: slot.by });
}

async function toInput(ca: Ca, authorization: AcmeAuthorization): Promise<AuthorizationInput> {
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
    txtValue: await ca.dns01Value(dns01.token),
  };
}
