import { type CaaRecord, type CaaRefusal, refusalOf } from './caa';
import { createCaaLookup } from './caa-lookup';
import type { DnsReply } from './message';
import type { Question } from './wire';

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
  ['a parameter with hyphens (RFC 8659 section 4.2)', [issue('ca.test; policy-id=5')], null],
  ['a critical property of other certificates', [{ critical: true, tag: 'issuevmc', value: 'ca.test' }, issue('ca.test')], 'unknown-critical'],
  ['empty issuers', [issue(''), issue(';')], 'no-issuer'],
])('CAA records with %s', (_what, records, refusal) => {
  expect(refusalOf(records, false, OURS)).toBe(refusal);
});

describe('what lies above the name', () => {
  let now = 0;
  let asked: string[] = [];
  const forbidding = new Set<string>();
  const answerTo = ({ name }: Question): DnsReply => {
    asked.push(name);
    const answers = forbidding.has(name) ? [{ type: 'CAA', name, ttl: 300, data: { flags: 0, tag: 'issue', value: ';' } }] : [];
    return { type: 'response', rcode: 'NOERROR', answers } as unknown as DnsReply;
  };
  const ask = (question: Question): Promise<DnsReply | null> => Promise.resolve(answerTo(question));
  let askChecked = ask;
  const resolver = { ask, askChecked: (question: Question) => askChecked(question), askCache: ask };
  const lookup = createCaaLookup({ resolvers: () => resolver, timeoutMs: 1_000, now: () => now });
  const look = async (name: string): Promise<{ code: string | undefined; asked: string[] }> => {
    asked = [];
    const refused = await lookup.forbids([name], OURS);
    return { code: refused?.code, asked };
  };

  it('is not asked about again for a minute where it has no CAA records', async () => {
    expect(await look('a.shop.test')).toEqual({ code: undefined, asked: ['a.shop.test', 'shop.test', 'test'] });
    expect(await look('b.shop.test')).toEqual({ code: undefined, asked: ['b.shop.test'] });
    forbidding.add('b.shop.test');
    expect((await look('b.shop.test')).code).toBe('caa_forbids_issuer');
    now = 60_000;
    expect((await look('c.shop.test')).asked).toEqual(['c.shop.test', 'shop.test', 'test']);
  });

  it('is asked about anew by everyone when the one who asked first got no answer', async () => {
    now += 60_000;
    let first = true;
    let over: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (over = resolve));
    askChecked = async (question) => {
      if (question.name !== 'test' || !first) return answerTo(question);
      first = false;
      await late;
      return null;
    };
    const both = Promise.all(['a.x.test', 'b.y.test'].map((name) => lookup.forbids([name], OURS)));
    setTimeout(over, 20);
    const [one, other] = await both;
    expect(one).toMatchObject({ code: 'resolver_silent', message: expect.stringContaining('CAA records of test ') });
    expect(other).toBeNull();
    askChecked = ask;
  });

  it.each([
    ['one SERVFAIL', 1, 'resolver_silent'],
    ['SERVFAIL as often as it is asked, and an answer without DNSSEC', 9, 'dnssec_bogus'],
  ])('is not called broken for a passing trouble: %s', async (_what, times, code) => {
    let left = times;
    askChecked = async (question) => {
      left -= 1;
      return left >= 0 ? { ...answerTo(question), rcode: 'SERVFAIL' } : answerTo(question);
    };
    expect((await look(`x${times}.y.test`)).code).toBe(code);
    askChecked = ask;
  });

  it('is asked about each time where it forbids', async () => {
    forbidding.add('other.test');
    expect((await look('a.other.test')).code).toBe('caa_forbids_issuer');
    forbidding.delete('other.test');
    expect((await look('a.other.test')).code).toBeUndefined();
  });
});
