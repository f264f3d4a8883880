import type { Actor } from './problem';
import type { TxtEvidence } from './txt-evidence';

/**
 * What DNS says about a TXT record, as one verdict. Codes are part of the API contract: they are never renamed.
 * Grouped by who can do something about it; docs/dns-diagnoses.md has the table.
 */
export const DIAGNOSIS_CODES = [
  'ready',
  // nothing there, or in the wrong place
  'record_missing',
  'name_doubled',
  'record_at_domain',
  'record_at_apex',
  'record_under_wrong_label',
  // there, but not this value
  'old_value',
  'other_value',
  'value_quoted',
  'value_truncated',
  'value_has_spaces',
  'value_has_extra_text',
  'value_case_changed',
  'value_is_name',
  // aliases
  'txt_beside_cname',
  'cname_wrong_target',
  'cname_loop',
  'cname_dangling',
  'wildcard_answers',
  // the alias that leads to our own name servers
  'delegation_missing',
  'delegation_unserved',
  // servers that do not agree
  'servers_disagree',
  'secondary_behind',
  // servers that do not serve
  'servers_lame',
  'servers_refuse',
  'servers_fail',
  'servers_unreachable',
  'servers_unreadable',
  'servers_not_public',
  // the zone itself
  'domain_not_registered',
  'zone_not_delegated',
  'dnssec_bogus',
  'too_many_queries',
  // the CA would have to refuse
  'caa_forbids_issuer',
  // ourselves
  'resolver_silent',
] as const;
export type DiagnosisCode = (typeof DIAGNOSIS_CODES)[number];

/** A record as registrars' forms want it. */
export interface DnsRecordSpec {
  type: 'TXT' | 'CNAME' | 'CAA';
  fqdn: string;
  /** Relative to the zone that holds it; `@` for the zone's apex. */
  host: string;
  value: string;
}

export interface Diagnosis {
  code: DiagnosisCode;
  /** One sentence in plain words: what is seen, and why that isn't enough. */
  message: string;
  actor: Actor;
  /** One sentence: what to do. */
  action: string;
  /** To be set, exactly so; null where no record would help. */
  set: DnsRecordSpec | null;
  /** To be removed first; empty mostly. */
  remove: DnsRecordSpec[];
  /** Whether it may mend itself, and until about when (RFC 3339), where DNS says so. */
  waiting: { helps: boolean; until: string | null };
  /** RFC 3339: when it was made, and since when it has been the same, as far as anybody has looked. */
  at: string;
  since: string;
  /** What it was concluded from, besides what each server said: SOA serials by server, where the value was found … */
  facts: Record<string, unknown>;
}

export interface DiagnosisInput {
  /** The identifier of the authorization: the name the certificate is for, without `*.`. */
  identifier: string;
  /** Where the TXT record belongs. */
  fqdn: string;
  /** All values it must have. */
  expected: string[];
  /** What every server has just said. */
  evidence: TxtEvidence;
  /** What the name is to be an alias (CNAME) of, where that is how it is to be set. */
  alias?: string;
}
