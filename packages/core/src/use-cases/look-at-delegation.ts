import { delegationProof, delegationRecords } from '../delegation';
import type { Diagnosis } from '../diagnosis';
import type { Domain, OrderReason } from '../model';
import type { DnsDoctor, TxtLookup } from '../ports';
import type { TxtEvidence } from '../txt-evidence';

export interface DelegationDeps {
  txtLookup: TxtLookup;
  dnsDoctor: Pick<DnsDoctor, 'diagnose'>;
  /** The zone of our own name servers (`ACME_ZONE`); null: there is none. */
  acmeZone: string | null;
}

export interface SeenDelegation {
  fqdn: string;
  target: string;
  evidence: TxtEvidence;
  /** `ready` where the alias is at every server and leads to our own name servers, which have what belongs there. */
  diagnosis: Diagnosis;
}

/** The whole way that the CA will go, for each challenge name of a domain, to a value that is always at its end. */
export function lookAtDelegation({ txtLookup, dnsDoctor, acmeZone }: DelegationDeps, domain: Domain): Promise<SeenDelegation[]> {
  const expected = [delegationProof(domain.delegationLabel)];
  const records = acmeZone === null ? [] : delegationRecords(domain, acmeZone);
  return Promise.all(
    records.map(async ({ fqdn, target }) => {
      const evidence = await txtLookup.lookup(fqdn, expected);
      const identifier = fqdn.slice(fqdn.indexOf('.') + 1);
      return { fqdn, target, evidence, diagnosis: await dnsDoctor.diagnose({ identifier, fqdn, expected, evidence, alias: target }) };
    }),
  );
}

/** Why an order that relies on the delegation would wait for DNS in vain; null: it would not. */
export async function whyNotDelegated(deps: DelegationDeps, domain: Domain): Promise<OrderReason | null> {
  const seen = await lookAtDelegation(deps, domain);
  const wrong = seen.find(({ diagnosis }) => diagnosis.code !== 'ready');
  return wrong ? { code: 'dns_not_ready', detail: `${wrong.diagnosis.message} ${wrong.diagnosis.action}` } : null;
}
