import { parseNames, unproved } from '../domain-names';
import type { Domain } from '../model';
import type { AcmeGateway, DomainStore, OrderStore, RenewalStore } from '../ports';
import { terminal } from '../problem';
import { requestOrder, type RequestOrderDeps } from './create-order';
import { replacing } from './renew-one';
import { assertOwned, type OwnershipDeps } from './verify-domain';

export interface ChangeDomainDeps extends OwnershipDeps, RequestOrderDeps {
  domains: Pick<DomainStore, 'get' | 'update'>;
  orders: Pick<OrderStore, 'create' | 'latest'>;
  renewals: Pick<RenewalStore, 'get'>;
  /** The CA's directory, by which certificates of another CA are told apart. */
  directoryUrl: AcmeGateway['directoryUrl'];
  allowSpecialUseDomains: boolean;
}

/**
 * Other names (all of them but `domain.name`, which stays), or another setting. Names that nothing of what was proved covers have to be
 * proved first, as for `verifyDomain`. Where there is a certificate, or an order was asked for, an order for the new names follows, which
 * replaces the certificate.
 * @throws Problem `not_found`, `invalid_name`, `dns_lookup_failed`, `ownership_record_absent`, `order_under_way`, `version_conflict`
 */
export async function changeDomain(
  deps: ChangeDomainDeps,
  domain: Domain,
  change: { names?: string[]; auto?: boolean; version?: string; requestId: string },
): Promise<Domain> {
  const { requestId, names: more, ...rest } = change;
  const parsed = more && parseNames(domain.name, more, { allowSpecialUse: deps.allowSpecialUseDomains });
  const names = parsed && isOther(parsed, domain.names) ? parsed : undefined;
  if (names && domain.status !== 'pending') await assertOwned(deps, domain, unproved(names, domain.names));
  const { tenantId, id: domainId } = domain;
  const before = names && (await deps.orders.latest(tenantId, domainId));
  const changed = await deps.domains.update(tenantId, domainId, { ...rest, ...(names && { names }) });
  if (!changed) throw terminal('not_found', 'There is no such domain.');
  if (changed.auto && changed.status === 'pending') await deps.jobs.enqueue('watch-delegation', { tenantId, domainId }, { hurry: true });
  if (!names || changed.status === 'pending') return changed;
  const old = await deps.renewals.get(tenantId, domainId);
  if (!before && !old) return changed;
  await requestOrder(deps, { tenantId, domainId, requestId, ...(old && { renewal: replacing(old, deps.directoryUrl, new Date()) }) });
  return (await deps.domains.get(tenantId, domainId)) ?? changed;
}

const isOther = (names: string[], before: string[]): boolean => [...names].sort().join() !== [...before].sort().join();
