import { parseNames, unproved } from '../domain-names';
import type { Domain } from '../model';
import type { CertificateStore, DomainStore, OrderStore } from '../ports';
import { terminal } from '../problem';
import { requestOrder, type RequestOrderDeps } from './create-order';
import { assertOwned, type OwnershipDeps } from './verify-domain';

export interface ChangeDomainDeps extends OwnershipDeps, RequestOrderDeps {
  domains: Pick<DomainStore, 'get' | 'update'>;
  orders: Pick<OrderStore, 'create' | 'latest'>;
  certificates: Pick<CertificateStore, 'latest'>;
  allowSpecialUseDomains: boolean;
}

/**
 * Other names (all of them but `domain.name`, which stays), or another setting. Names that nothing of what was proved covers have to be
 * proved first, as for `verifyDomain`. Where there is a certificate, or an order under way, an order for the new names follows.
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
  const isWanted = before || (await deps.certificates.latest(tenantId, domainId));
  if (!isWanted) return changed;
  await requestOrder(deps, { tenantId, domainId, requestId });
  return (await deps.domains.get(tenantId, domainId)) ?? changed;
}

const isOther = (names: string[], before: string[]): boolean => [...names].sort().join() !== [...before].sort().join();
