import { type CaaLookup, type Diagnosis, registeredDomain } from '@certwright/core';
import { createBudget } from './budget';
import { type CaaRefusal, type CaaSet, refusalOf, relevantCaa } from './caa';
import type { MakeResolver } from './resolver';

const WHY: Record<CaaRefusal, string> = {
  'other-issuer': 'allow other certificate authorities only',
  'no-issuer': 'allow no certificate authority at all',
  account: 'allow this certificate authority only for another account (accounturi)',
  method: 'do not allow validation by DNS (validationmethods)',
  'unknown-critical': 'have a property marked critical that certificate authorities do not know',
};

export function createCaaLookup({ resolvers, timeoutMs }: { resolvers: MakeResolver; timeoutMs: number }): CaaLookup {
  return {
    async forbids(names, issuer) {
      const [identity] = issuer.identities;
      if (identity === undefined) return null;
      for (const name of names) {
        const set = await relevantCaa(name, resolvers(createBudget(timeoutMs, 0).queryMs));
        const refusal = set && refusalOf(set.records, name.startsWith('*.'), issuer);
        if (refusal) return diagnosisOf(name, set, refusal, identity);
      }
      return null;
    },
  };
}

function diagnosisOf(name: string, { at, records, ttl }: CaaSet, refusal: CaaRefusal, identity: string): Diagnosis {
  const now = new Date();
  const tag = name.startsWith('*.') && records.some((one) => one.tag === 'issuewild') ? 'issuewild' : 'issue';
  const zone = registeredDomain(at);
  const shown = records.map((one) => `${one.critical ? 128 : 0} ${one.tag} "${one.value}"`);
  return {
    code: 'caa_forbids_issuer',
    message: `The CAA records of ${at} ${WHY[refusal]}, so the certificate authority has to refuse ${name}: ${shown.slice(0, 4).join(', ')}.`,
    actor: 'customer',
    action: 'Add the CAA record shown here beside the others, or remove all CAA records; then ask for the certificate again.',
    set: { type: 'CAA', fqdn: at, host: at === zone ? '@' : at.slice(0, -zone.length - 1), value: `0 ${tag} "${identity}"` },
    remove: [],
    waiting: { helps: false, until: null },
    at: now.toISOString(),
    since: now.toISOString(),
    facts: { at, refusal, records: shown, ttl },
  };
}
