import { randomBytes } from 'node:crypto';
import { parseHostname } from '../hostname';
import type { Domain } from '../model';
import type { DomainStore } from '../ports';
import { terminal } from '../problem';

export interface RegisterDomainDeps {
  domains: Pick<DomainStore, 'create'>;
  allowSpecialUseDomains: boolean;
}

/**
 * Stores a customer's domain, `pending`, with the token that proves its ownership.
 * @throws Problem `invalid_name`, `domain_exists`
 */
export async function registerDomain(
  deps: RegisterDomainDeps,
  input: { tenantId: string; domainName: string },
): Promise<Domain> {
  const { name, wildcard } = parseHostname(input.domainName, { allowSpecialUse: deps.allowSpecialUseDomains });
  if (wildcard) {
    const detail = 'Wildcards cannot be registered yet: register the name without "*.".';
    throw terminal('invalid_name', detail, { errors: [{ pointer: '/domain_name', detail }] });
  }
  return deps.domains.create(input.tenantId, { name, verificationToken: randomBytes(32).toString('base64url') });
}
