import { isName, isUnder, lower, parentOf, printable } from './names';

it.each([
  ['a.b.test', 'b.test'],
  ['test', ''],
  ['', ''],
])('the parent of "%s" is "%s", so climbing ends', (name, parent) => {
  expect(parentOf(name)).toBe(parent);
});

it('a name lies under its own zone and under no other that merely ends alike', () => {
  expect(isUnder('a.customer.test', 'customer.test')).toBe(true);
  expect(isUnder('customer.test', 'customer.test')).toBe(true);
  expect(isUnder('badcustomer.test', 'customer.test')).toBe(false);
  expect(isUnder('anything.test', '')).toBe(true);
});

it('case and the final dot make no difference', () => {
  expect(lower('A.Test.')).toBe('a.test');
});

it.each(['', '.', 'a..b', '.a', 'a.', 'a b.test', 'a\u0000.test', '\uFFFD.test', `${'a'.repeat(64)}.test`, 'a.'.repeat(127) + 'a'])(
  '%j is no name to ask for',
  (name) => {
    expect(isName(name)).toBe(false);
  },
);

it.each(['test', '_acme-challenge.a-b.xn--bcher-kva.test', `${'a'.repeat(63)}.test`])('%j is one', (name) => {
  expect(isName(name)).toBe(true);
});

it('what is shown holds no control character and no half of a character, and keeps to its length', () => {
  expect(printable('a\u0000b\u001b[31m', 10)).toBe('a\uFFFDb\uFFFD[31m');
  expect(printable('ab\u{1F600}', 3)).toBe('ab');
  expect(printable('ab\u{1F600}', 4)).toBe('ab\u{1F600}');
});
