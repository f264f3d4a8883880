import { challengeNames, ownedBases, parseNames, unproved } from './domain-names';
import type { Problem } from './problem';

const parse = (name: string, more: string[] = []) => parseNames(name, more, { allowSpecialUse: true });
const refused = (name: string, more: string[] = []): { detail: string; pointer: string } | undefined => {
  try {
    parse(name, more);
  } catch (error) {
    return (error as Problem).errors?.[0];
  }
  return undefined;
};

describe('the names of a certificate', () => {
  it('have the domain first, each once and as it is stored', () => {
    expect(parse('Shop.Customer.com.', ['*.shop.customer.com', 'SHOP.customer.com', 'customer.com'])).toEqual([
      'shop.customer.com',
      '*.shop.customer.com',
      'customer.com',
    ]);
    expect(parse('*.customer.com')).toEqual(['*.customer.com']);
  });

  it.each([
    ['not a name', ['a b.com'], '/names/0', /U\+0020/],
    ['of another registered domain', ['www.customer.com', 'other.com'], '/names/1', /not part of customer\.com/],
    ['covered by a wildcard', ['*.customer.com', 'www.customer.com'], '/names', /www\.customer\.com is covered by \*\.customer\.com/],
    ['too many', Array.from({ length: 100 }, (_, index) => `n${index}.customer.com`), '/names', /100 names at most; these are 101/],
    ['too long to be proved', [`*.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(40)}.customer.com`], '/names/0', /too long/],
  ])('are refused when one is %s', (_, more, pointer, detail) => {
    expect(refused('customer.com', more)).toEqual({ pointer, detail: expect.stringMatching(detail) });
  });

  it('share a TXT name where one is the wildcard of another', () => {
    expect(challengeNames(['x.com', '*.x.com', '*.y.x.com'])).toEqual(['_acme-challenge.x.com', '_acme-challenge.y.x.com']);
  });

  it('are owned by whoever owns what they are below', () => {
    expect(ownedBases(['www.x.com', 'x.com', '*.x.com', 'a.b.x.com'])).toEqual(['x.com']);
    expect(ownedBases(['b.x.com', '*.a.x.com', 'c.a.x.com'])).toEqual(['b.x.com', 'a.x.com']);
    expect(ownedBases(['x.com', 'ax.com'])).toEqual(['x.com', 'ax.com']);
    expect(unproved(['x.com', 'www.x.com'], ['www.x.com'])).toEqual(['x.com']);
    expect(unproved(['*.www.x.com', 'a.www.x.com'], ['www.x.com'])).toEqual([]);
  });
});
