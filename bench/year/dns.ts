import { type CaaLookup, challengeName, delegationProof, type Diagnosis, type DnsDoctor, type TxtLookup } from '@certwright/core';
import { isDelegated, type Site } from './plan';

export const ACME_ZONE = 'acme.platform.test';

export interface SimulatedDns extends TxtLookup {
  dnsDoctor: DnsDoctor;
  caaLookup: CaaLookup;
  /** What the owner of a manual domain has set; any value is there that a first certificate needs. */
  values: Map<string, string[]>;
}

/** What is delegated has whatever its order needs, as our own name servers would; what is manual has what its owner has set. */
export function createDns({ sites, now }: { sites: Map<string, Site>; now: () => number }): SimulatedDns {
  const values = new Map<string, string[]>();
  const byChallenge = new Map([...sites.values()].map((site) => [challengeName(site.name), site]));
  const isProof = (value: string): boolean => value.startsWith(delegationProof(''));

  function isThere(site: Site, expected: string[]): boolean {
    if (!site.isManual) return isDelegated(site, now());
    const set = values.get(site.name);
    return expected.every((value) => (set ? set.includes(value) : !isProof(value)));
  }
  const diagnosisOf = (code: Diagnosis['code']): Diagnosis => ({
    code,
    message: `It is ${code}.`,
    actor: 'customer',
    action: 'Set the record.',
    set: null,
    remove: [],
    waiting: { helps: false, until: null },
    at: new Date(now()).toISOString(),
    since: new Date(now()).toISOString(),
    facts: {},
  });

  return {
    values,
    async lookup(fqdn, expected) {
      const site = byChallenge.get(fqdn);
      if (!site) return { fqdn, verdict: 'no_zone', via: [], zone: null, servers: [], detail: 'There is no such zone.' };
      const isReady = isThere(site, expected);
      const via = isReady && !site.isManual ? [`label.${ACME_ZONE}`] : [];
      return { fqdn, verdict: isReady ? 'ready' : 'absent', via, zone: site.name, servers: [], detail: isReady ? 'It is there.' : 'It is not there.' };
    },
    dnsDoctor: {
      diagnose: async ({ evidence, alias }) => {
        if (evidence.verdict === 'ready') return diagnosisOf('ready');
        return diagnosisOf(alias === undefined ? 'record_missing' : 'delegation_missing');
      },
      cached: async () => null,
    },
    caaLookup: { forbids: async () => null },
  };
}
