import type { Domain, Order } from '../model';
import type { AcmeGateway, DomainStore, RenewalStore } from '../ports';
import { terminal } from '../problem';
import { lookAgain } from './check-domain';
import { createOrder, type CreateOrderDeps } from './create-order';
import { type DelegationDeps, whyNotDelegated } from './look-at-delegation';
import { replacing } from './renew-one';

export interface RenewDomainDeps extends CreateOrderDeps, DelegationDeps {
  renewals: Pick<RenewalStore, 'get'>;
  domains: Pick<DomainStore, 'watchNow'>;
  /** The CA's directory, by which certificates of another CA are told apart. */
  directoryUrl: AcmeGateway['directoryUrl'];
}

/**
 * Renews now, whatever the time: as `renewDue` would, and with `createOrder`'s wait for the order to be placed. If it fails, it is tried
 * again as any renewal is. Nothing is ordered where the delegation that it relies on is broken: who wants to set a value by hand asks as for a
 * first certificate.
 * @throws Problem `dns_not_ready` with what to set, `not_found`, `certificate_absent`, `order_superseded` where it has been renewed this very moment
 */
export async function renewDomain(deps: RenewDomainDeps, domain: Domain, requestId: string): Promise<Order> {
  const { tenantId, id: domainId } = domain;
  const renewal = await deps.renewals.get(tenantId, domainId);
  if (!renewal) throw terminal('certificate_absent', 'There is no certificate to be renewed: ask for one by issue-certificate.');
  const blocked = renewal.manual ? null : await whyNotDelegated(deps, domain);
  if (blocked) {
    await lookAgain(deps, domain);
    throw terminal(blocked.code, `${blocked.detail} Or, for this time, ask for a value to be set by hand: POST /domains/${domainId}/issue-certificate.`);
  }
  return createOrder(deps, { tenantId, domainId, requestId, renewal: replacing(renewal, deps.directoryUrl, new Date()) });
}
