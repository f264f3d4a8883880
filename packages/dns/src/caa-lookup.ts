import { type CaaLookup, type Diagnosis, registeredDomain } from '@certwright/core';
import { createBudget } from './budget';
import { type CaaAt, type CaaRefusal, type CaaSet, refusalOf, relevantCaa, type Untold } from './caa';
import type { MakeResolver, Resolver } from './resolver';
import { createTtlCache } from './ttl-cache';
import { cutAbove } from './zone-cut';

const WHY: Record<CaaRefusal, string> = {
  'other-issuer': 'allow other certificate authorities only',
  'no-issuer': 'allow no certificate authority at all',
  account: 'allow this certificate authority only for another account (accounturi)',
  method: 'do not allow validation by DNS (validationmethods)',
  unreadable: 'have parameters that cannot be read, or twice the same',
  'unknown-critical': 'have a property marked critical that certificate authorities do not know',
};

/** Longer than resolvers keep anything. */
const MAX_WAIT_SECONDS = 86_400;

/** Above a customer's name, absence alone is kept, in seconds: records that have come since the CA sees itself, those that are gone hold up nobody. */
const ABSENCE_TTL = 60;
const MAX_ABSENT = 1_000;

export function createCaaLookup({
  resolvers,
  timeoutMs,
  now = () => performance.now(),
}: {
  resolvers: MakeResolver;
  timeoutMs: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}): CaaLookup {
  const parents = createTtlCache<CaaAt>({ max: MAX_ABSENT, now });
  const above = async (at: string, look: () => Promise<CaaAt>): Promise<CaaAt> => {
    let isMine = false;
    const seen = await parents.get(at, async () => {
      isMine = true;
      const value = await look();
      return { value, ttl: value === null ? ABSENCE_TTL : null };
    });
    // Somebody else's look may have had less time than there is for this one.
    return isUntold(seen) && !isMine ? look() : seen;
  };
  return {
    async forbids(names, issuer) {
      const [identity] = issuer.identities;
      if (identity === undefined) return null;
      for (const name of names) {
        const resolver = resolvers(createBudget(timeoutMs, 0).queryMs);
        const set = await relevantCaa(name, resolver, above);
        if (isUntold(set)) return untold(set.untoldAt, resolver);
        const refusal = set && refusalOf(set.records, name.startsWith('*.'), issuer);
        if (refusal) return diagnosisOf(name, { ...set, zone: await zoneOf(set.at, resolver) }, refusal, identity);
      }
      return null;
    },
  };
}

const isUntold = (set: CaaAt): set is Untold => set !== null && 'untoldAt' in set;

/** Where DNSSEC isn't checked there is an answer: the signatures are broken. Otherwise nobody answers, and may soon. */
async function untold(fqdn: string, resolver: Resolver): Promise<Diagnosis> {
  // One SERVFAIL may be any trouble of the resolver's.
  const again = await resolver.askChecked({ name: fqdn, type: 'CAA' });
  const isBogus = again?.rcode === 'SERVFAIL' && (await resolver.ask({ name: fqdn, type: 'CAA' })) !== null;
  const now = new Date().toISOString();
  return {
    code: isBogus ? 'dnssec_bogus' : 'resolver_silent',
    message: isBogus
      ? `The signatures (DNSSEC) of the zone of ${fqdn} are broken: the certificate authority, which checks them, has to refuse it.`
      : `The CAA records of ${fqdn} cannot be looked up right now: the certificate authority, which needs them, would have to refuse it.`,
    actor: isBogus ? 'customer' : 'operator',
    action: isBogus ? 'Have the zone signed anew, or remove its DS record at the registrar.' : 'Nothing, at first: it is looked up again by itself.',
    set: null,
    remove: [],
    waiting: { helps: true, until: null },
    at: now,
    since: now,
    facts: {},
  };
}

const zoneOf = async (name: string, resolver: Resolver): Promise<string> => (await cutAbove(name, resolver)).value.apex ?? registeredDomain(name);

function diagnosisOf(name: string, { at, records, ttl, zone }: CaaSet & { zone: string }, refusal: CaaRefusal, identity: string): Diagnosis {
  const now = new Date();
  const tag = name.startsWith('*.') && records.some((one) => one.tag === 'issuewild') ? 'issuewild' : 'issue';
  const isStrange = refusal === 'unknown-critical' || refusal === 'unreadable';
  const until = new Date(now.getTime() + Math.min(ttl, MAX_WAIT_SECONDS) * 1_000).toISOString();
  const shown = records.map((one) => `${one.critical ? 128 : 0} ${one.tag} "${one.value}"`);
  return {
    code: 'caa_forbids_issuer',
    message: `The CAA records of ${at} ${WHY[refusal]}, so the certificate authority has to refuse ${name}: ${shown.slice(0, 4).join(', ')}.`,
    actor: 'customer',
    action: isStrange
      ? `Remove or mend ${refusal === 'unreadable' ? 'the record with these parameters' : 'that property'}; then ask for the certificate again.`
      : 'Add the CAA record shown here beside the others, or remove all CAA records; then ask for the certificate again.',
    set: isStrange ? null : { type: 'CAA', fqdn: at, host: at === zone ? '@' : at.slice(0, -zone.length - 1), value: `0 ${tag} "${identity}"` },
    remove: [],
    // Nobody sees a change before resolvers have forgotten what they know.
    waiting: { helps: false, until },
    at: now.toISOString(),
    since: now.toISOString(),
    facts: { at, refusal, records: shown, ttl },
  };
}
