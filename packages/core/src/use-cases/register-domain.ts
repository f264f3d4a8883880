import { randomBytes } from 'node:crypto';
import { ownershipName } from '../domain';
import { parseHostname } from '../hostname';
import type { Domain } from '../model';
import type { DomainStore } from '../ports';
import { terminal } from '../problem';

/** RFC 1035 section 2.3.4, in text form. */
const MAX_FQDN = 253;

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
  if (ownershipName(name).length > MAX_FQDN) {
    const detail = `The name is too long: its challenge records would be longer than ${MAX_FQDN} characters.`;
    throw terminal('invalid_name', detail, { errors: [{ pointer: '/domain_name', detail }] });
  }
  return deps.domains.create(input.tenantId, { name, verificationToken: randomBytes(32).toString('base64url') });
}
