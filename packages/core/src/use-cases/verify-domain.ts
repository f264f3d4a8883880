import { delegationProof, delegationTarget } from '../delegation';
import { challengeName, ownershipName } from '../domain';
import { ownedBases } from '../domain-names';
import type { Domain, Forecast } from '../model';
import type { DnsDoctor, DomainStore, TxtLookup } from '../ports';
import { Problem, terminal } from '../problem';
import type { TxtEvidence } from '../txt-evidence';
import { lookAtDelegation } from './look-at-delegation';

export interface OwnershipDeps {
  txtLookup: TxtLookup;
  dnsDoctor: Pick<DnsDoctor, 'diagnose'>;
  /** The zone of our own name servers (`ACME_ZONE`); null: there is none. */
  acmeZone: string | null;
}

export interface VerifyDomainDeps extends OwnershipDeps {
  domains: Pick<DomainStore, 'get' | 'markVerified'>;
}

/**
 * `pending` to `verified` when every authoritative server shows the ownership token, at its own name or at the older one, or the
 * delegation; of several names, for each that is not below another. Where it was the delegation, that is kept: no value has to be set there.
 * @throws Problem `not_found`, `domain_not_pending`, `dns_lookup_failed`, `ownership_record_absent`
 */
export async function verifyDomain(deps: VerifyDomainDeps, input: { tenantId: string; domainId: string }): Promise<Domain> {
  const domain = await deps.domains.get(input.tenantId, input.domainId);
  if (!domain) throw terminal('not_found', 'There is no such domain.');
  if (domain.status !== 'pending') {
    throw terminal('domain_not_pending', `${domain.name} is ${domain.status}: only a pending domain can be verified.`);
  }
  const proofs = await assertOwned(deps, domain, ownedBases(domain.names));
  const seen = proofs.includes('alias') ? await delegationOf(deps, domain) : null;
  const verified = await deps.domains.markVerified(input.tenantId, domain.id, domain.names, seen);
  if (!verified) throw terminal('domain_not_pending', `${domain.name} is not pending any more.`);
  return verified;
}

async function delegationOf(deps: OwnershipDeps, domain: Domain): Promise<Forecast> {
  const records = (await lookAtDelegation(deps, domain)).map(({ fqdn, diagnosis }) => ({ fqdn, diagnosis }));
  const needsValue = records.some(({ diagnosis }) => diagnosis.code !== 'ready');
  return { at: new Date().toISOString(), isReady: true, needsValue, records, refusal: null };
}

type Proof = 'token' | 'alias';

/** @throws Problem `dns_lookup_failed`, `ownership_record_absent`: for the first of `bases` that is not proved */
export async function assertOwned(deps: OwnershipDeps, domain: Domain, bases: string[]): Promise<Proof[]> {
  const proofs: Proof[] = [];
  for (const found of await Promise.all(bases.map((base) => prove(deps, domain, base)))) {
    if (found instanceof Problem) throw found;
    proofs.push(found);
  }
  return proofs;
}

async function prove(deps: OwnershipDeps, domain: Domain, base: string): Promise<Problem | Proof> {
  const token = [domain.verificationToken];
  const [own, older] = await Promise.all([
    deps.txtLookup.lookup(ownershipName(base), token),
    deps.txtLookup.lookup(challengeName(base), token),
  ]);
  if (await isDelegated(deps, domain, older)) return 'alias';
  if (own.verdict === 'ready' || older.verdict === 'ready') return 'token';
  const silent = [own, older].every(({ verdict }) => verdict === 'no_answer' || verdict === 'no_zone');
  // What the older name says is of interest only where the record was put there.
  const closest = older.verdict === 'partial' && own.verdict !== 'partial' ? older : own;
  const { message, action } = await deps.dnsDoctor.diagnose({ identifier: base, fqdn: closest.fqdn, expected: token, evidence: closest });
  const toSet = `The record to set: TXT ${ownershipName(base)} with the value ${domain.verificationToken}; then verify again.`;
  return terminal(silent ? 'dns_lookup_failed' : 'ownership_record_absent', `${message} ${action} ${toSet}`);
}

/** The label is known to nobody but the domain's tenant and whoever it was shown to: an alias of it is as good as the token. */
async function isDelegated({ txtLookup, acmeZone }: OwnershipDeps, domain: Domain, { fqdn, via }: TxtEvidence): Promise<boolean> {
  if (acmeZone === null || !via.includes(delegationTarget(domain, acmeZone))) return false;
  const { verdict } = await txtLookup.lookup(fqdn, [delegationProof(domain.delegationLabel)]);
  return verdict === 'ready';
}
