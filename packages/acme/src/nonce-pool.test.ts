import { createNoncePool } from './nonce-pool';

describe('createNoncePool', () => {
  it('hands out each nonce once, the freshest first', () => {
    const pool = createNoncePool();
    pool.add('a');
    pool.add('b');
    expect([pool.take(), pool.take(), pool.take()]).toEqual(['b', 'a', null]);
  });

  it('keeps no more than its bound, and drops the oldest', () => {
    const pool = createNoncePool({ max: 2 });
    for (const nonce of ['a', 'b', 'c']) pool.add(nonce);
    expect([pool.take(), pool.take(), pool.take()]).toEqual(['c', 'b', null]);
  });

  it('forgets nonces when they are too old', () => {
    let now = 0;
    const pool = createNoncePool({ maxAgeMs: 1_000, now: () => now });
    pool.add('old');
    now = 600;
    pool.add('young');
    now = 1_100;
    expect([pool.take(), pool.take()]).toEqual(['young', null]);
    pool.add('lone');
    now = 2_100;
    expect(pool.take()).toBeNull();
  });
});
