import { delegationTarget, type Diagnosis, type DiagnosisCode, type Domain, type Order, type Renewal, type TxtEvidence } from '@certwright/core';

export interface SeenAlias {
  /** The name is an alias of the domain's own label: its values come from our own name servers, and nobody has to set them. Null: nobody has seen. */
  isThere: boolean | null;
  state: DiagnosisCode | null;
  diagnosis: Diagnosis | null;
  evidence: TxtEvidence | null;
}

const NOTHING: SeenAlias = { isThere: null, state: null, diagnosis: null, evidence: null };

/** What is found of an alias that is there, though something is wrong on the way; and of one that is not. */
const FOLLOWED: readonly DiagnosisCode[] = ['ready', 'delegation_unserved', 'servers_disagree', 'secondary_behind', 'dnssec_bogus'];
const ABSENT: readonly DiagnosisCode[] = [
  'delegation_missing',
  'cname_wrong_target',
  'cname_loop',
  'wildcard_answers',
  'name_doubled',
  'record_at_domain',
  'record_at_apex',
  'record_under_wrong_label',
];

/** Whether an alias with this diagnosis is there; null: that is all that was found out. */
export const isAliasThere = (code: DiagnosisCode): boolean | null => FOLLOWED.includes(code) || (ABSENT.includes(code) ? false : null);

/** Whether a domain's certificates come, or are to come, through the alias, as far as anything is known of that. */
export const reliesOnAlias = ({ auto, forecast }: Domain, renewal: Pick<Renewal, 'manual'> | null): boolean =>
  auto || (forecast ? forecast.needsValue === false : renewal?.manual === false);

/** Of a domain with a certificate there is a look of every day; one of before there was one may be of any age. Milliseconds. */
const STALE_MS = 2 * 86_400_000;

/** What was last seen of the aliases at these names, by the order that looks for their values or by the day's look. */
export function seenAliases(domain: Domain, order: Order | null, fqdns: string[], acmeZone: string | null): SeenAlias[] {
  return fqdns.map((fqdn) => (acmeZone === null ? NOTHING : lastSeen(domain, order, { fqdn, target: delegationTarget(domain, acmeZone) })));
}

function lastSeen({ forecast }: Domain, order: Order | null, { fqdn, target }: { fqdn: string; target: string }): SeenAlias {
  const isStale = forecast !== null && Date.now() - Date.parse(forecast.at) > STALE_MS;
  const day = isStale ? undefined : forecast?.records.find((one) => one.fqdn === fqdn)?.diagnosis;
  const daily = day ? { isThere: isAliasThere(day.code), state: day.code, diagnosis: day, evidence: null } : NOTHING;
  const own = order?.authorizations.find(({ txtName, evidence }) => txtName === fqdn && evidence !== null);
  // What a suspect forecast says is older than the look that made it suspect.
  const isDailyNewer = day !== undefined && forecast?.isSuspect !== true && (own?.checkedAt ?? 0) <= new Date(forecast?.at ?? 0);
  if (!own?.evidence || isDailyNewer) return daily;
  const { evidence, diagnosis } = own;
  // Not diagnosed yet: a value that is on its way to our own name servers.
  if (evidence.via.includes(target)) return { isThere: true, state: diagnosis?.code ?? 'ready', diagnosis, evidence: diagnosis && evidence };
  const isBlind = evidence.verdict === 'no_answer' || evidence.untold === true || (evidence.verdict === 'no_zone' && evidence.via.length === 0);
  if (isBlind) return daily.isThere === null ? daily : { isThere: daily.isThere, state: diagnosis?.code ?? null, diagnosis, evidence };
  return { ...(daily.isThere === false ? daily : NOTHING), isThere: false };
}
