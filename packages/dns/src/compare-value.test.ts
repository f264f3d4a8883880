import fc from 'fast-check';
import { compareValues } from './compare-value';

const WANT = 'gfj9Xq-Rg85nM_zSLfXC0NMvVdzPJWmQ7XTSZmm2GX8';
const NAMES = ['_acme-challenge.shop.customer.test', 'shop.customer.test'];
const codeOf = (...seen: string[]): string | null => compareValues(seen, [WANT], NAMES)?.code ?? null;

describe('what is wrong with a TXT value', () => {
  it.each([
    ['value_quoted', `"${WANT}"`],
    ['value_quoted', `“${WANT}”`],
    ['value_quoted', `\\"${WANT}\\"`],
    ['value_has_spaces', ` ${WANT}`],
    ['value_has_spaces', `${WANT.slice(0, 20)} ${WANT.slice(20)}`],
    ['value_has_spaces', `" ${WANT} "`],
    ['value_truncated', WANT.slice(0, 32)],
    ['value_truncated', WANT.slice(1)],
    ['value_has_extra_text', `acme=${WANT}`],
    ['value_case_changed', WANT.toLowerCase()],
    ['value_is_name', '_acme-challenge.shop.customer.test.'],
    ['value_is_name', 'Shop.Customer.test'],
    ['old_value', 'A'.repeat(43)],
    ['other_value', 'v=spf1 -all'],
    ['other_value', 'short'],
  ])('%s: %s', (code, value) => {
    expect(codeOf(value)).toBe(code);
  });

  it('tells the surest of several', () => {
    expect(codeOf('v=spf1 -all', 'A'.repeat(43), WANT.slice(0, 30))).toBe('value_truncated');
  });

  it('says nothing of a right value, nor of none', () => {
    expect(codeOf()).toBeNull();
    expect(codeOf(WANT)).toBeNull();
    expect(compareValues([WANT], [WANT, 'second'], NAMES)).toBeNull();
  });

  it('takes any strings there are', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' })), (seen) => void compareValues(seen, [WANT], NAMES)));
  });
});
