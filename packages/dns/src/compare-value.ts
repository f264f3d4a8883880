import type { DiagnosisCode } from '@certwright/core';
import { lower } from './names';

/** A dns-01 TXT value: base64url of a SHA-256 (RFC 8555 section 8.4). */
const ACME_VALUE = /^[A-Za-z0-9_-]{43}$/;

/** Shorter remains say nothing about where they come from. */
const MIN_TRUNCATED = 8;

type Wrong = Exclude<DiagnosisCode, 'ready' | 'caa_forbids_issuer'>;

/** From the surest to the vaguest; the first that any value shows is the one to tell. */
const CHECKS: [Wrong, (value: string, expected: string, names: string[]) => boolean][] = [
  ['value_quoted', (value, expected) => unquoted(value) === expected],
  ['value_has_spaces', (value, expected) => unquoted(value.replace(/\s+/g, '')) === expected],
  ['value_truncated', (value, expected) => isTruncated(unquoted(value.trim()), expected)],
  ['value_has_extra_text', (value, expected) => value.includes(expected)],
  ['value_case_changed', (value, expected) => value.toLowerCase() === expected.toLowerCase()],
  ['value_is_name', (value, _expected, names) => names.includes(lower(unquoted(value.trim())))],
  ['old_value', (value) => ACME_VALUE.test(value)],
];

/**
 * What is wrong with the values that are there. `names`: those that could have been pasted as the value, in lower case.
 * Null where one value is there and right, but not all are.
 */
export function compareValues(seen: string[], expected: string[], names: string[]): { code: Wrong; value: string } | null {
  const missing = expected.filter((value) => !seen.includes(value));
  const others = seen.filter((value) => !expected.includes(value));
  for (const [code, is] of CHECKS) {
    const value = others.find((one) => missing.some((want) => is(one, want, names)));
    if (value !== undefined) return { code, value };
  }
  const [other] = others;
  return other === undefined ? null : { code: 'other_value', value: other };
}

/** Quotes of all kinds that forms and word processors put around a value, escaped ones too. */
const unquoted = (value: string): string => value.replace(/^[\\"'“”„‘’`«»]+|[\\"'“”„‘’`«»]+$/g, '');

const isTruncated = (value: string, expected: string): boolean =>
  value.length >= MIN_TRUNCATED &&
  value.length < expected.length &&
  (expected.startsWith(value) || expected.endsWith(value));
