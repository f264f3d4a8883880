import { type CaaRecord, type CaaRefusal, refusalOf } from './caa';

const OURS = { identities: ['ca.test'], accountUri: 'https://ca.test/account/1' };
const issue = (value: string): CaaRecord => ({ critical: false, tag: 'issue', value });

it.each<[string, CaaRecord[], CaaRefusal | null]>([
  ['nothing but whom to tell', [{ critical: true, tag: 'iodef', value: 'mailto:x@y.test' }], null],
  ['spaces wherever they may be', [issue('  CA.test ;  accounturi = https://ca.test/account/1 ; validationmethods= dns-01,http-01 ')], null],
  ['another account, with spaces', [issue('ca.test; accounturi = https://ca.test/account/2')], 'account'],
  ['another method, with spaces', [issue('ca.test; validationmethods = http-01')], 'method'],
  ['a parameter twice', [issue('ca.test; accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/1')], 'unreadable'],
  ['a parameter that is none', [issue('ca.test; %%%')], 'unreadable'],
  ['a parameter that is none, beside a record without', [issue('ca.test; %%%'), issue('ca.test')], null],
  ['a parameter that nobody knows', [issue('ca.test; policy=ev')], null],
  ['a critical property of other certificates', [{ critical: true, tag: 'issuevmc', value: 'ca.test' }, issue('ca.test')], 'unknown-critical'],
  ['empty issuers', [issue(''), issue(';')], 'no-issuer'],
])('CAA records with %s', (_what, records, refusal) => {
  expect(refusalOf(records, false, OURS)).toBe(refusal);
});
