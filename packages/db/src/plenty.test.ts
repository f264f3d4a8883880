import { createPlenty } from './plenty';

it('gives this process its share of what is free, for a few seconds', () => {
  let now = 0;
  const plenty = createPlenty(() => now);
  expect(plenty.take('account')).toBe(false);
  plenty.learn('account', 64 * 80 + 63, 78);
  expect([plenty.take('account'), plenty.take('account'), plenty.take('account')]).toEqual([true, true, false]);
  plenty.learn('account', 6_400, 0);
  now = 5_000;
  expect(plenty.take('account')).toBe(false);
});

it('gives nothing of what could be spent by then', () => {
  const plenty = createPlenty(() => 0);
  plenty.learn('account', 5_000, 0);
  plenty.learn('other', -5, 0);
  expect([plenty.take('account'), plenty.take('other')]).toEqual([false, false]);
});

it('forgets what was counted longest ago', () => {
  const plenty = createPlenty(() => 0);
  for (let at = 0; at <= 1_000; at += 1) plenty.learn(`key ${at}`, 6_400, 0);
  expect([plenty.take('key 0'), plenty.take('key 1'), plenty.take('key 1000')]).toEqual([false, true, true]);
});
