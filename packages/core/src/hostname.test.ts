import fc from 'fast-check';
import { parseHostname } from './hostname';
import { Problem } from './problem';

const parse = (input: string, allowSpecialUse = false) => parseHostname(input, { allowSpecialUse });

describe('a name that can be served', () => {
  it.each([
    ['example.com', 'example.com', 'example.com'],
    ['EXAMPLE.com.', 'example.com', 'example.com'],
    ['shop.customer.co.uk', 'shop.customer.co.uk', 'customer.co.uk'],
    ['münchen.de', 'xn--mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['MÜNCHEN.de', 'xn--mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['xn--mnchen-3ya.de', 'xn--mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['例え。jp', 'xn--r8jz45g.jp', 'xn--r8jz45g.jp'],
    ['my-shop.github.io', 'my-shop.github.io', 'my-shop.github.io'],
    ['1.example.com', '1.example.com', 'example.com'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
    [`aaa.${'a.'.repeat(123)}com`, `aaa.${'a.'.repeat(123)}com`, 'a.com'],
  ])('%s is %s', (input, name, registrableDomain) => {
    expect(parse(input)).toEqual({ name, wildcard: false, registrableDomain });
  });

  it('may be a wildcard', () => {
    expect(parse('*.Example.com')).toEqual({ name: '*.example.com', wildcard: true, registrableDomain: 'example.com' });
  });

  it.each(['test', 'example', 'invalid'])('may be under .%s where that is allowed, and only there', (suffix) => {
    expect(parse(`shop.customer.${suffix}`, true).registrableDomain).toBe(`customer.${suffix}`);
    expect(() => parse(`shop.customer.${suffix}`)).toThrow(/set aside/);
  });
});

describe('a name that cannot', () => {
  it.each([
    ['empty', ''],
    ['a dot', '.'],
    ['one label', 'example'],
    ['a public suffix', 'com'],
    ['a public suffix of two labels', 'co.uk'],
    ['a private public suffix', 'github.io'],
    ['a wildcard over a public suffix', '*.co.uk'],
    ['an unknown top-level domain', 'example.nosuchtld'],
    ['an IPv4 address', '127.0.0.1'],
    ['an IPv4 address in two parts', '127.1'],
    ['an IPv4 address in hex', '0x7f.1'],
    ['an IPv4 address as a number', '2130706433'],
    ['an IPv4 address in octal', '0177.0.0.1'],
    ['an IPv4 address in full-width digits', '１２７.0.0.1'],
    ['an IPv6 address', '::1'],
    ['an IPv6 address in brackets', '[::1]'],
    ['a number at the end', 'example.123'],
    ['an empty label', 'a..com'],
    ['a leading dot', '.example.com'],
    ['two final dots', 'example.com..'],
    ['an empty label with an ideographic full stop', 'a。。com'],
    ['a label that is too long', `${'a'.repeat(64)}.com`],
    ['a name that is too long', `${'a.'.repeat(126)}com`],
    ['a wildcard of which the star is too much', `*.aa.${'a.'.repeat(123)}com`],
    ['an underscore', '_acme-challenge.example.com'],
    ['a leading hyphen', '-a.example.com'],
    ['a trailing hyphen', 'a-.example.com'],
    ['a wildcard inside', 'a.*.example.com'],
    ['a partial wildcard', 'a*.example.com'],
    ['two wildcards', '*.*.example.com'],
    ['a bare wildcard', '*'],
    ['a URL', 'https://example.com'],
    ['a path', 'example.com/path'],
    ['a port', 'example.com:443'],
    ['a user', 'user@example.com'],
    ['percent encoding', '%65xample.com'],
    ['a space', 'exam ple.com'],
    ['a space in front', ' example.com'],
    ['a new line', 'example.com\n'],
    ['a NUL', 'example\0.com'],
    ['a zero-width space', 'exam\u200bple.com'],
    ['a zero-width joiner', 'exam\u200dple.com'],
    ['a soft hyphen', 'exam\u00adple.com'],
    ['a direction override', 'exam\u202eple.com'],
    ['a full-width solidus', 'example.com／path'],
    ['localhost', 'localhost'],
    ['under .localhost', 'a.localhost'],
    ['under .local', 'printer.local'],
    ['under .onion', 'abc.onion'],
    ['under .arpa', '1.0.0.127.in-addr.arpa'],
    ['broken punycode', 'xn--zzzzzzzzz-.com'],
  ])('%s: %j', (_what, input) => {
    expect(() => parse(input, true)).toThrow(expect.objectContaining({ code: 'invalid_name', disposition: 'terminal' }));
  });
});

it('whatever comes in, a name that DNS can hold comes out, or a Problem', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.webUrl()), fc.boolean(), (input, allow) => {
      try {
        const { name } = parse(input, allow);
        expect(name).toMatch(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]+$/);
        expect(parse(name, allow).name).toBe(name);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
});
