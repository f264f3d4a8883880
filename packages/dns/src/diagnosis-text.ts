import { type Actor, type Diagnosis, type DiagnosisCode, type DiagnosisInput, type DnsRecordSpec, registeredDomain } from '@certwright/core';
import { isUnder } from './names';

/** What was found out, before it is put in words. */
export interface Finding {
  code: Exclude<DiagnosisCode, 'caa_forbids_issuer'>;
  facts?: Record<string, unknown>;
  /** Where DNS itself says how long it may take. */
  waitSeconds?: number;
}

interface Words {
  actor: Actor;
  message: string;
  action: string;
  /** Whether the record has to be set, as it should be; default: where the customer acts. */
  set?: boolean;
  remove?: DnsRecordSpec[];
  waitingHelps?: boolean;
}

/** Longer waits than this mean that nobody is waiting. */
const MAX_WAIT_SECONDS = 7 * 86_400;

export function write(input: DiagnosisInput, finding: Finding, now: Date): Diagnosis {
  const words = wordsFor(input, finding);
  const { code, facts = {}, waitSeconds } = finding;
  const until = waitSeconds ? new Date(now.getTime() + Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1_000).toISOString() : null;
  return {
    code,
    message: words.message,
    actor: words.actor,
    action: words.action,
    set: (words.set ?? words.actor === 'customer') ? toSet(input) : null,
    remove: words.remove ?? [],
    waiting: { helps: words.waitingHelps ?? false, until: words.waitingHelps ? until : null },
    at: now.toISOString(),
    since: now.toISOString(),
    facts,
  };
}

/** Where a record is, or belongs. */
const placeOf = (input: DiagnosisInput, fqdn: string): Pick<DnsRecordSpec, 'fqdn' | 'host'> => {
  const { host } = recordAt(input, 'TXT', fqdn, '');
  return { fqdn, host };
};

function toSet(input: DiagnosisInput): DnsRecordSpec {
  const { fqdn, alias } = input;
  return alias === undefined ? recordAt(input, 'TXT', fqdn, missingOf(input)[0] ?? '') : recordAt(input, 'CNAME', fqdn, alias);
}

/** `host` as registrars want it: relative to the zone, `@` for its apex. */
export function recordAt(
  { identifier, evidence, fqdn: asked }: Pick<DiagnosisInput, 'identifier' | 'evidence' | 'fqdn'>,
  type: DnsRecordSpec['type'],
  fqdn: string,
  value: string,
): DnsRecordSpec {
  const own = evidence.via.length === 0 && evidence.zone !== null && isUnder(asked, evidence.zone) ? evidence.zone : null;
  const zone = own !== null && isUnder(fqdn, own) ? own : registeredDomain(identifier);
  const host = fqdn === zone ? '@' : isUnder(fqdn, zone) ? fqdn.slice(0, -zone.length - 1) : fqdn;
  return { type, fqdn, host, value };
}

const missingOf = ({ expected, evidence }: DiagnosisInput): string[] => {
  const seen = evidence.servers.flatMap(({ values }) => values);
  const missing = expected.filter((value) => !seen.includes(value));
  return missing.length > 0 ? missing : expected;
};

const customer = (message: string, action: string, more: Partial<Words> = {}): Words => ({ actor: 'customer', message, action, ...more });
const waits = (message: string, action: string): Words => ({ actor: 'nobody', message, action, waitingHelps: true });

const REPLACE = 'Replace the value with exactly the one shown here.';
const AT_PROVIDER = 'Tell whoever runs the name servers of the domain; no record has to be changed for it.';

function wordsFor(input: DiagnosisInput, { code, facts = {} }: Finding): Words {
  const { fqdn, evidence } = input;
  const zone = text(facts.zone) || (evidence.zone ?? registeredDomain(input.identifier));
  const value = `"${text(facts.value)}"`;
  const foundAt = text(facts.found_at);
  const target = text(facts.target);
  const domain = text(facts.domain) || zone;
  const chain = [fqdn, ...evidence.via].join(' → ');
  const servers = evidence.servers.map(({ server }) => server);
  const all = [...new Set(servers)].slice(0, 4).join(', ');
  const wrongPlace = (what: string): Words =>
    customer(what, `Move it to ${fqdn}: in the host field of most forms, only the part shown as host.`, {
      remove: [{ ...toSet(input), ...placeOf(input, foundAt) }],
    });
  /** Of a name that is to be an alias, of something else. */
  const wrongAlias = (alias: string): Words =>
    customer(
      `${fqdn} is an alias (CNAME) of ${target}, and not of ${alias}${facts.appended === undefined ? '' : `: ${text(facts.appended)} was added to it`}.`,
      facts.appended === undefined ? IN_ITS_PLACE : 'Enter the target with a dot at its end: without one, this form takes it for a name within the domain.',
      { remove: aliasOf(input) },
    );
  const words: Record<Finding['code'], () => Words> = {
    ready: () => ({ actor: 'nobody', message: evidence.detail, action: 'Nothing: the record is as it should be.' }),
    record_missing: () =>
      customer(typeof facts.missing === 'number' ? `There are ${text(facts.of)} values to be set at ${fqdn}, and ${text(facts.missing)} of them ${facts.missing === 1 ? 'is' : 'are'} not there.` : `No name server of ${zone} has a TXT record at ${fqdn}.`, 'Set the record; it is seen as soon as the name servers have it.'),
    name_doubled: () => wrongPlace(`The value is at ${foundAt}: the domain was entered twice, as the form adds it by itself.`),
    record_at_domain: () => wrongPlace(`The value is at ${foundAt} itself, not at ${fqdn}.`),
    record_at_apex: () => wrongPlace(`The value is at ${foundAt}, the domain itself, not at ${fqdn}.`),
    record_under_wrong_label: () => wrongPlace(`The value is at ${foundAt}, not at ${fqdn}.`),
    old_value: () =>
      customer(`There is a TXT record at ${fqdn}, but with a value of an earlier order or of another service: ${value}.`, `${REPLACE} Values of other services may stay beside it.`),
    other_value: () =>
      customer(`There is a TXT record at ${fqdn}, but with something else in it: ${value}.`, 'Add a TXT record with exactly the value shown here; others may stay.'),
    value_quoted: () => customer(`The value has quotation marks around it that became a part of it: ${value}.`, `${REPLACE} Without quotation marks.`),
    value_truncated: () => customer(`Only a part of the value is there: ${value}.`, `${REPLACE} All of it.`),
    value_has_spaces: () => customer(`The value has spaces in it or around it: ${value}.`, `${REPLACE} Without spaces.`),
    value_has_extra_text: () => customer(`The value has other text around it: ${value}.`, `${REPLACE} Nothing else.`),
    value_case_changed: () => customer(`Capital and small letters of the value were changed: ${value}.`, REPLACE),
    value_is_name: () => customer(`The record has a name as its value: ${value}.`, `${REPLACE} The name belongs in the host field.`),
    txt_beside_cname: () =>
      customer(`At ${fqdn} there is a TXT record beside a CNAME, which DNS does not allow: some see the one, some the other.`, 'Remove the CNAME; leave the TXT record.', {
        remove: aliasOf(input),
      }),
    cname_wrong_target: () =>
      input.alias !== undefined ? wrongAlias(input.alias) : customer(`${fqdn} is an alias (CNAME) of ${target}, and the value is not there.`, `Remove the CNAME and set the TXT record at ${fqdn} itself, or set the value at the alias's end.`, {
        remove: aliasOf(input),
      }),
    cname_loop: () => customer(`The aliases (CNAME) of ${fqdn} never end: ${chain}.`, `Remove the CNAME at ${fqdn} and set the TXT record there.`, { remove: aliasOf(input) }),
    cname_dangling: () =>
      customer(`${fqdn} is an alias (CNAME) of ${target}, which is in no zone that exists.`, `Remove the CNAME at ${fqdn} and set the TXT record there.`, { remove: aliasOf(input) }),
    wildcard_answers: () =>
      customer(
        `A wildcard record answers for ${fqdn}, which has no record of its own.`,
        `Set the ${input.alias === undefined ? 'TXT' : 'CNAME'} record: a record of its own goes before the wildcard, which may stay.`,
      ),
    servers_disagree: () =>
      Array.isArray(facts.primaries)
        ? customer(`The name servers of ${zone} belong to different providers, which do not have the same records: ${lacking(facts)} without the value.`, 'Set the record at each of the providers, or have the domain served by one of them only (at the registrar).')
        : waits(
            `Some name servers of ${zone} have the value, some do not${facts.same_serial === true ? ', though all have the same version of the zone' : ''}: ${lacking(facts)} without it.`,
            `Wait a few minutes; if it stays so, ${lower(AT_PROVIDER)}`,
          ),
    secondary_behind: () =>
      waits(`The value is there, but ${lacking(facts)} still has an older version of the zone.`, 'Wait until the secondary has fetched the new version.'),
    servers_lame: () => customer(`The name servers that ${zone} is delegated to do not speak for it: ${all}.`, 'At the registrar, set the name servers that do have the zone.', { set: false }),
    servers_refuse: () => customer(`The name servers of ${zone} refuse to answer: ${all}.`, 'At the registrar, set the name servers that do have the zone, or have the provider set it up.', { set: false }),
    servers_fail: () => customer(`The name servers of ${zone} answer with an error: ${all}.`, AT_PROVIDER, { set: false, waitingHelps: true }),
    servers_unreachable: () => customer(`No name server of ${zone} answers: ${all}.`, AT_PROVIDER, { set: false, waitingHelps: true }),
    servers_unreadable: () => customer(`The name servers of ${zone} answer something unreadable: ${all}.`, AT_PROVIDER, { set: false }),
    servers_not_public: () => customer(`The name servers of ${zone} have addresses that are not public: ${all}.`, 'At the registrar, set name servers that the internet can reach.', { set: false }),
    domain_not_registered: () => customer(`The domain ${domain} is not registered.`, 'Register the domain, or renew its registration.', { set: false }),
    zone_not_delegated: () => customer(`The domain ${domain} is registered, but leads to no working name server.`, 'At the registrar, set name servers for the domain.', { set: false }),
    dnssec_bogus: () =>
      customer(`The signatures (DNSSEC) of ${zone} are broken: resolvers that check them, as the CA's do, refuse all its records.`, 'Have the zone signed anew, or remove its DS record at the registrar.', { set: false }),
    too_many_queries: () => customer(`There are too many aliases, delegations and name servers on the way to ${fqdn}.`, `Set the TXT record at ${fqdn} itself, without aliases.`),
    delegation_missing: () => customer(`${fqdn} is not an alias (CNAME) of ${input.alias}.`, 'Set the CNAME record: once, and never again. Nothing else can be at that name.', { remove: textsAt(input) }),
    delegation_unserved: () => ({
      actor: 'operator',
      message: `${fqdn} is an alias (CNAME) of ${input.alias}, as it should be, but our own name servers do not answer for that: ${evidence.detail}`,
      action: 'Mend the name servers of ACME_ZONE, or its delegation; nothing has to be changed at the domain.',
      waitingHelps: true,
    }),
    resolver_silent: () => ({
      actor: 'operator',
      message: `${fqdn} cannot be looked up right now: no DNS resolver of this service has an answer.`,
      action: 'Nothing, at first: it is looked up again by itself. If it stays so, see to the resolvers (DNS_RESOLVERS, or those of the machine), or to the zones on the way.',
      waitingHelps: true,
    }),
  };
  const found = words[code]();
  return input.alias !== undefined && REPLACED.includes(code) ? { ...found, action: IN_ITS_PLACE } : found;
}

/** What an alias of our own takes the place of: the remedy is that alias, not a TXT record. */
const REPLACED: Finding['code'][] = ['cname_loop', 'cname_dangling'];
const IN_ITS_PLACE = 'Set the CNAME record shown here, in place of what is there.';

const textsAt = (input: DiagnosisInput): DnsRecordSpec[] => {
  const values = new Set(input.evidence.servers.flatMap(({ values }) => values));
  return [...values].map((value) => recordAt(input, 'TXT', input.fqdn, value));
};

const aliasOf = (input: DiagnosisInput): DnsRecordSpec[] => {
  const [target] = input.evidence.via;
  return target === undefined ? [] : [recordAt(input, 'CNAME', input.fqdn, target)];
};

const text = (fact: unknown): string => (typeof fact === 'string' || typeof fact === 'number' ? String(fact) : '');
const lower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

function lacking({ lacking: servers }: Record<string, unknown>): string {
  const named = (Array.isArray(servers) ? (servers as { server: string; address: string }[]) : []).slice(0, 3);
  return named.map(({ server, address }) => `${server} (${address})`).join(', ');
}
