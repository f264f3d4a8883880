import { storable } from './storable';

it('leaves out what jsonb refuses, and nothing else', () => {
  const text = `a\0b\uD800c\uD83D\uDE00 \\u0000 "q"`;
  expect(JSON.parse(storable({ list: [text], number: 1, nothing: null }))).toEqual({
    list: ['a\uFFFDb\uFFFDc\uD83D\uDE00 \\u0000 "q"'],
    number: 1,
    nothing: null,
  });
});
