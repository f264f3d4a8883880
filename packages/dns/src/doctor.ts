import { randomBytes } from 'node:crypto';
import { type Diagnosis, type DiagnosisInput, type DnsDoctor, registeredDomain, type ServerAnswer, type ServerState, type TxtEvidence } from '@certwright/core';
import { type Budget, createBudget } from './budget';
import { txtValues } from './ask-server';
import { compareValues } from './compare-value';
import { type Finding, write } from './diagnosis-text';
import type { BudgetedLookup } from './lookup-txt';
import { isUnder, lower } from './names';
import type { MakeResolver, Resolver } from './resolver';
import { type AskedSoa, soaAt } from './soa';
import { isAnswering } from './verdict';

export interface DoctorOptions {
  lookup: BudgetedLookup;
  resolvers: MakeResolver;
  /** Where authoritative servers listen: 53, but for tests. */
  authoritativePort: number;
  /** Bound of all further questions together, in milliseconds. */
  timeoutMs: number;
}

/** A dozen places where people put records, mostly in one zone. */
const MAX_QUERIES = 150;

/** Says why a record isn't ready, by asking where else its value is, what else answers at its name, and how its zone is served. */
export function createDnsDoctor(options: DoctorOptions): DnsDoctor {
  const { resolvers, timeoutMs } = options;
  return {
    async diagnose(input): Promise<Diagnosis> {
      const budget = createBudget(timeoutMs, MAX_QUERIES);
      const finding = await find(input, { ...options, budget, budgetMs: budget.queryMs, resolver: resolvers(budget.queryMs) });
      return write(input, finding, new Date());
    },

    async cached(fqdn) {
      const reply = await resolvers(createBudget(timeoutMs, 0).queryMs).askCache({ name: fqdn, type: 'TXT' });
      const records = [...(reply?.answers ?? []), ...(reply?.authorities ?? []).filter(({ type }) => type === 'SOA')];
      // Without any record a resolver has only said where to go on, or nothing.
      const ttls = records.flatMap((record) => ('ttl' in record && record.ttl !== undefined ? [record.ttl] : []));
      return reply && ttls.length > 0 ? { values: txtValues(reply, fqdn), ttl: Math.min(...ttls) } : null;
    },
  };
}

interface Tools extends DoctorOptions {
  budget: Budget;
  budgetMs(): number;
  resolver: Resolver;
}

function find(input: DiagnosisInput, tools: Tools): Promise<Finding> | Finding {
  const { evidence, alias } = input;
  if (alias !== undefined && (evidence.via.length > 0 || isAnswered(evidence))) return delegated(input, lower(alias), tools);
  switch (evidence.verdict) {
    case 'cname_loop':
      return { code: 'cname_loop' };
    case 'no_zone':
      return withoutZone(input, tools);
    case 'no_answer':
      return unserved(evidence.servers);
    case 'ready':
      return whenReady(input, tools);
    case 'partial':
      return divided(input, tools);
    case 'absent':
      return absent(input, tools);
  }
}

const isAnswered = ({ verdict }: TxtEvidence): boolean => verdict === 'ready' || verdict === 'partial' || verdict === 'absent';

/** Of a name that is to be an alias of `alias`, at whose end the expected value is. */
async function delegated(input: DiagnosisInput, alias: string, tools: Tools): Promise<Finding> {
  const { verdict, via } = input.evidence;
  if (via.map(lower).includes(alias)) {
    if (verdict === 'ready') return whenReady(input, tools);
    return verdict === 'partial' ? dividedOverAlias(input, tools) : { code: 'delegation_unserved', facts: { target: alias } };
  }
  if (verdict === 'cname_loop') return { code: 'cname_loop' };
  const [first] = via;
  if (first !== undefined && lower(first).startsWith(`${alias}.`)) return { code: 'cname_wrong_target', facts: { target: first, appended: lower(first).slice(alias.length + 1) } };
  const seen = input.evidence.servers.flatMap(({ values }) => values);
  const wildcard = first !== undefined || seen.length > 0 ? await atRandomName(input, tools) : null;
  const isWildcard = wildcard !== null && (first === undefined ? seen.every((value) => wildcard.values.includes(value)) : wildcard.alias === first);
  if (isWildcard) return { code: 'wildcard_answers', facts: { asked: wildcard.name, values: seen } };
  if (first !== undefined) return { code: 'cname_wrong_target', facts: { target: via.at(-1) } };
  const elsewhere = await lookElsewhere(input, tools);
  return elsewhere ? { code: elsewhere.code, facts: { found_at: elsewhere.name } } : { code: 'delegation_missing' };
}

/** The name of the zone that is missing: the last alias leads there. */
async function withoutZone({ evidence, fqdn }: DiagnosisInput, { resolver }: Tools): Promise<Finding> {
  if (evidence.untold) return { code: 'resolver_silent' };
  const alias = evidence.via.at(-1);
  if (alias !== undefined && evidence.zone !== null) return { code: 'cname_dangling', facts: { target: alias } };
  if (evidence.zone !== null) return { code: 'zone_not_delegated', facts: { zone: evidence.zone, servers: 'without address' } };
  const domain = registeredDomain(alias ?? fqdn);
  const reply = (await resolver.ask({ name: domain, type: 'SOA' })) ?? (await resolver.askChecked({ name: domain, type: 'SOA' }));
  if (!reply) return { code: 'resolver_silent' };
  if (alias !== undefined) return { code: 'cname_dangling', facts: { target: alias } };
  // There by now: the next look finds it.
  if ((reply.answers ?? []).some(({ type, name }) => type === 'SOA' && lower(name) === domain)) return { code: 'resolver_silent' };
  return { code: reply.rcode === 'NXDOMAIN' ? 'domain_not_registered' : 'zone_not_delegated', facts: { domain } };
}

/** The surest first: what several servers say differently is told by what is easiest to mend. */
const UNSERVED: [ServerState[], Finding['code']][] = [
  [['refused'], 'servers_refuse'],
  [['lame'], 'servers_lame'],
  [['servfail'], 'servers_fail'],
  [['not_public'], 'servers_not_public'],
  [['malformed'], 'servers_unreadable'],
  [['timeout', 'unreachable'], 'servers_unreachable'],
];

function unserved(servers: ServerAnswer[]): Finding {
  if (servers.length === 0) return { code: 'too_many_queries' };
  const [code] = UNSERVED.map(([states, one]) => ({ one, count: servers.filter(({ state }) => states.includes(state)).length }))
    .sort((a, b) => b.count - a.count)
    .map(({ one }) => one);
  return { code: code ?? 'servers_unreachable' };
}

/**
 * All servers have it: now a resolver may hear of the name. One that checks DNSSEC fails where one that doesn't has an answer (RFC 4035
 * section 5.5), in whichever zone on the way the signatures are broken; the CA's checks.
 */
async function whenReady({ evidence, fqdn }: DiagnosisInput, { resolver }: Tools): Promise<Finding> {
  const question = { name: fqdn, type: 'TXT' } as const;
  const checked = await resolver.askChecked(question);
  if (checked && checked.rcode !== 'SERVFAIL') return { code: 'ready' };
  const unchecked = checked && (await resolver.ask(question));
  return unchecked ? { code: 'dnssec_bogus', facts: { zone: evidence.zone } } : { code: 'resolver_silent' };
}

/** Some servers of the owner's zone have the alias, some have not: it is that zone's versions that tell, and not those of ours. */
async function dividedOverAlias(input: DiagnosisInput, tools: Tools): Promise<Finding> {
  const owner = await tools.lookup(input.identifier, [], tools.budget);
  const behind = input.evidence.servers.filter((one) => isAnswering(one) && one.state !== 'match' && owner.servers.some(({ address }) => address === one.address));
  if (behind.length === 0) return divided(input, tools);
  const servers = owner.servers.map((one): ServerAnswer => ({ ...one, state: behind.some(({ address }) => address === one.address) ? 'nodata' : 'match' }));
  const finding = await divided({ ...input, evidence: { ...owner, servers } }, tools);
  return { ...finding, facts: { ...finding.facts, zone: owner.zone } };
}

async function divided(input: DiagnosisInput, tools: Tools): Promise<Finding> {
  const answering = input.evidence.servers.filter(isAnswering);
  const soas = await soasOf(input, answering, tools);
  const serialOf = ({ address }: ServerAnswer): number | undefined => soas.find((one) => one.address === address)?.serial;
  const having = answering.filter(({ state }) => state === 'match');
  const lacking = answering.filter(({ state }) => state !== 'match');
  const serials = new Set(having.map(serialOf));
  const [serial] = serials;
  const facts = { lacking: lacking.map(({ server, address }) => ({ server, address })), ...zoneFacts(soas) };
  const primaries = new Set(soas.map(({ primary }) => primary));
  // Two providers, each with a zone of its own: what is set at one never gets to the other.
  if (primaries.size > 1) return { code: 'servers_disagree', facts: { ...facts, primaries: [...primaries] } };
  const isBehind = serial !== undefined && lacking.some((one) => isOlder(serialOf(one), serial));
  if (isBehind) return { code: 'secondary_behind', facts, waitSeconds: Math.max(...soas.map(({ refresh }) => refresh)) };
  const isSame = serials.size === 1 && lacking.every((one) => serialOf(one) === serial);
  return { code: 'servers_disagree', facts: { ...facts, same_serial: isSame } };
}

/** RFC 1982 section 3.2. */
const isOlder = (a: number | undefined, b: number): boolean => a !== undefined && a !== b && ((b - a) >>> 0) < 2 ** 31;

async function absent(input: DiagnosisInput, tools: Tools): Promise<Finding> {
  const { evidence, identifier, fqdn } = input;
  const answering = evidence.servers.filter(isAnswering);
  const seen = [...new Set(answering.flatMap(({ values }) => values))];
  const [alias] = evidence.via;
  const [soas, wildcard] = await Promise.all([soasOf(input, answering.slice(0, 1), tools), atRandomName(input, tools)]);
  const facts = zoneFacts(soas);
  if (evidence.besideAlias) return { code: 'txt_beside_cname', facts: { ...facts, values: seen } };
  const isWildcard =
    (alias !== undefined && wildcard.alias === alias) || (seen.length > 0 && seen.every((value) => wildcard.values.includes(value)));
  const missing = input.expected.filter((value) => !seen.includes(value));
  const elsewhere = await lookElsewhere({ ...input, expected: missing }, tools);
  if (elsewhere) return { code: elsewhere.code, facts: { ...facts, found_at: elsewhere.name } };
  if (isWildcard) return { code: 'wildcard_answers', facts: { ...facts, asked: wildcard.name, values: seen } };
  if (missing.length < input.expected.length) return { code: 'record_missing', facts: { ...facts, missing: missing.length, of: input.expected.length } };
  const wrong = compareValues(seen, missing, [fqdn, identifier, ...(evidence.zone ? [evidence.zone] : [])].map(lower));
  if (alias !== undefined && (wrong === null || wrong.code === 'other_value')) {
    return { code: 'cname_wrong_target', facts: { ...facts, target: evidence.via.at(-1), values: seen } };
  }
  if (wrong && wrong.code !== 'other_value' && wrong.code !== 'old_value') return { code: wrong.code, facts: { ...facts, value: wrong.value } };
  return wrong ? { code: wrong.code, facts: { ...facts, value: wrong.value } } : { code: 'record_missing', facts };
}

const soasOf = ({ evidence }: DiagnosisInput, servers: ServerAnswer[], { budgetMs, authoritativePort }: Tools): Promise<AskedSoa[]> =>
  evidence.zone === null ? Promise.resolve([]) : soaAt(evidence.zone, servers, { budgetMs, authoritativePort });

const zoneFacts = (soas: AskedSoa[]): Record<string, unknown> =>
  soas.length === 0
    ? {}
    : { serials: Object.fromEntries(soas.map(({ address, serial }) => [address, serial])), negative_ttl: soas[0]?.negativeTtl };

/** What any name beside the record's has: a wildcard's records, where there is one (RFC 4592). */
async function atRandomName({ identifier }: DiagnosisInput, { lookup, budget }: Tools) {
  const name = `_certwright-${randomBytes(6).toString('hex')}.${identifier}`;
  const { via, servers } = await lookup(name, [], budget);
  return { name, alias: via[0] ?? null, values: servers.flatMap(({ values }) => values) };
}

/** Where people put it instead. The first of them that has the value is told. */
function placesOf({ fqdn, identifier, evidence }: DiagnosisInput): { code: Finding['code']; name: string }[] {
  const registered = registeredDomain(identifier);
  const apexes = [...new Set([evidence.via.length === 0 ? evidence.zone : null, registered, identifier])].filter((one) => one !== null);
  const [label = ''] = fqdn.split('.');
  const bare = label.replace(/^_/, '');
  const places: { code: Finding['code']; name: string }[] = [
    ...apexes.map((apex) => ({ code: 'name_doubled' as const, name: `${fqdn}.${apex}` })),
    // The form belongs to a zone below the registered domain, and was given the name relative to that.
    ...apexes.flatMap((apex) => (isUnder(fqdn, registered) && apex !== registered ? [{ code: 'name_doubled' as const, name: `${fqdn.slice(0, -registered.length - 1)}.${apex}` }] : [])),
    { code: 'record_at_domain', name: identifier },
    ...apexes.map((apex) => ({ code: 'record_at_apex' as const, name: apex })),
    ...apexes.map((apex) => ({ code: 'record_under_wrong_label' as const, name: `${label}.${apex}` })),
    ...[bare, label.replace('-', '_'), bare.replace('-', '_'), `${label}.www`, '_certwright-challenge', '_acme-challenge'].map((wrong) => ({
      code: 'record_under_wrong_label' as const,
      name: `${wrong}.${identifier}`,
    })),
  ];
  const isNew = (name: string, at: number): boolean => name !== fqdn && places.findIndex((one) => one.name === name) === at;
  return places.filter(({ name }, at) => isNew(name, at));
}

async function lookElsewhere(input: DiagnosisInput, { lookup, budget }: Tools) {
  const places = placesOf(input);
  const found = await Promise.all(
    places.map(async ({ name }) => {
      const { servers } = await lookup(name, input.expected.slice(0, 1), budget);
      return servers.some(({ state }) => state === 'match');
    }),
  );
  return places.find((_, at) => found[at]) ?? null;
}
