import { randomBytes } from 'node:crypto';
import { parseNames } from '../domain-names';
import type { Domain } from '../model';
import type { DomainStore, JobQueue } from '../ports';

export interface RegisterDomainDeps {
  domains: Pick<DomainStore, 'create'>;
  jobs: JobQueue;
  allowSpecialUseDomains: boolean;
}

/**
 * Stores a customer's domain, `pending`, with all names its certificate is to have and the token that proves their ownership.
 * @throws Problem `invalid_name`, `domain_exists`
 */
export async function registerDomain(
  deps: RegisterDomainDeps,
  input: { tenantId: string; domainName: string; names?: string[]; auto?: boolean },
): Promise<Domain> {
  const names = parseNames(input.domainName, input.names ?? [], { allowSpecialUse: deps.allowSpecialUseDomains });
  const domain = await deps.domains.create(input.tenantId, { names, verificationToken: randomBytes(32).toString('base64url'), auto: input.auto ?? false });
  if (domain.auto) await deps.jobs.enqueue('watch-delegation', { tenantId: domain.tenantId, domainId: domain.id });
  return domain;
}
