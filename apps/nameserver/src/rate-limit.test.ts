import { createRateLimit, prefixOf } from './rate-limit';

it('gives each network its own budget, which fills up again', () => {
  const limit = createRateLimit(2);
  const take = (address: string, now: number): boolean => limit.take(address, now);
  expect([take('192.0.2.1', 0), take('192.0.2.77', 0), take('192.0.2.1', 0)]).toEqual([true, true, false]);
  expect(take('192.0.3.1', 0)).toBe(true);
  expect([take('192.0.2.1', 500), take('192.0.2.1', 500)]).toEqual([true, false]);
});

it.each([
  ['192.0.2.1', '192.0.2'],
  ['::ffff:192.0.2.9', '192.0.2'],
  ['2001:db8:1:2fff::1', '20010db800012f'],
  ['2001:db8:1:2f01:1:2:3:4', '20010db800012f'],
  ['::1', '00000000000000'],
  ['fe80::1%eth0', 'fe800000000000'],
])('the network of %s is %s', (address, prefix) => {
  expect(prefixOf(address)).toBe(prefix);
});
