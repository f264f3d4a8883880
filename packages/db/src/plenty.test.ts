import { createPlenty } from './plenty';

it('gives this process its share of what is free, for a few seconds', () => {
  let now = 0;
  const plenty = createPlenty(() => now);
  expect(plenty.take(['account'])).toBe(false);
  plenty.learn('account', 64 * 2 + 63);
  expect([plenty.take(['account']), plenty.take(['account']), plenty.take(['account'])]).toEqual([true, true, false]);
  plenty.learn('account', 640);
  now = 5_000;
  expect(plenty.take(['account'])).toBe(false);
});

it('takes of all that is counted, or of nothing', () => {
  const plenty = createPlenty(() => 0);
  plenty.learn('account', 64);
  expect(plenty.take(['account', 'domain'])).toBe(false);
  plenty.learn('domain', 64);
  expect(plenty.take(['account', 'domain'])).toBe(true);
  expect(plenty.take(['account'])).toBe(false);
});

it('gives nothing of what is little', () => {
  const plenty = createPlenty(() => 0);
  plenty.learn('account', 63);
  plenty.learn('other', -5);
  expect([plenty.take(['account']), plenty.take(['other'])]).toEqual([false, false]);
});
