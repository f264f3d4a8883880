import { challengeName, ownershipName } from '../domain';
import type { Domain } from '../model';
import type { DnsDoctor, DomainStore, TxtLookup } from '../ports';
import { terminal } from '../problem';
import type { TxtEvidence } from '../txt-evidence';

export interface VerifyDomainDeps {
  domains: Pick<DomainStore, 'get' | 'markVerified'>;
  txtLookup: TxtLookup;
  dnsDoctor: Pick<DnsDoctor, 'diagnose'>;
}

/**
 * `pending` to `verified` when every authoritative server shows the ownership token, at its own name or at the older one.
 * @throws Problem `not_found`, `domain_not_pending`, `dns_lookup_failed`, `ownership_record_absent`
 */
export async function verifyDomain(deps: VerifyDomainDeps, input: { tenantId: string; domainId: string }): Promise<Domain> {
  const domain = await deps.domains.get(input.tenantId, input.domainId);
  if (!domain) throw terminal('not_found', 'There is no such domain.');
  if (domain.status !== 'pending') {
    throw terminal('domain_not_pending', `${domain.name} is ${domain.status}: only a pending domain can be verified.`);
  }
  const token = [domain.verificationToken];
  const [own, older] = await Promise.all([
    deps.txtLookup.lookup(ownershipName(domain.name), token),
    deps.txtLookup.lookup(challengeName(domain.name), token),
  ]);
  if (own.verdict !== 'ready' && older.verdict !== 'ready') throw await notThere(deps, domain, own, older);
  const verified = await deps.domains.markVerified(input.tenantId, domain.id);
  if (!verified) throw terminal('domain_not_pending', `${domain.name} is not pending any more.`);
  return verified;
}

async function notThere({ dnsDoctor }: VerifyDomainDeps, { name, verificationToken }: Domain, own: TxtEvidence, older: TxtEvidence) {
  const silent = [own, older].every(({ verdict }) => verdict === 'no_answer' || verdict === 'no_zone');
  // What the older name says is of interest only where the record was put there.
  const closest = older.verdict === 'partial' && own.verdict !== 'partial' ? older : own;
  const { message, action } = await dnsDoctor.diagnose({ identifier: name, fqdn: closest.fqdn, expected: [verificationToken], evidence: closest });
  return terminal(silent ? 'dns_lookup_failed' : 'ownership_record_absent', `${message} ${action}`);
}
