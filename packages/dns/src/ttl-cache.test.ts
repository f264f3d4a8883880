import { createTtlCache, type Loaded, type TtlCache } from './ttl-cache';

describe('what is kept for as long as its TTL', () => {
  let at: number;
  let loads: string[];
  let cache: TtlCache<string>;

  beforeEach(() => {
    at = 0;
    loads = [];
    cache = createTtlCache({ max: 3, now: () => at });
  });

  const get = (key: string, ttl: number | null): Promise<string> =>
    cache.get(key, async () => {
      loads.push(key);
      return { value: `${key} at ${at}`, ttl };
    });

  it.each([
    [0, 5_000],
    [1, 5_000],
    [30, 30_000],
    [86_400, 60_000],
  ])('a TTL of %i s is kept for %i ms', async (ttl, ms) => {
    await get('a', ttl);
    at = ms - 1;
    expect(await get('a', ttl)).toBe('a at 0');
    at = ms;
    expect(await get('a', ttl)).toBe(`a at ${ms}`);
  });

  it('asks again at once for what is not to be kept', async () => {
    await get('a', null);
    await get('a', null);
    expect(loads).toEqual(['a', 'a']);
  });

  it('lets go of what was used longest ago', async () => {
    for (const key of ['a', 'b', 'c']) await get(key, 60);
    await get('a', 60);
    await get('d', 60);
    expect(['a', 'b', 'c', 'd'].map((key) => cache.peek(key))).toEqual(['a at 0', undefined, 'c at 0', 'd at 0']);
  });

  it('loads once for all who ask meanwhile', async () => {
    let bring: (loaded: Loaded<string>) => void = () => undefined;
    const load = jest.fn(() => new Promise<Loaded<string>>((resolve) => (bring = resolve)));
    const all = Array.from({ length: 1_000 }, () => cache.get('a', load));
    bring({ value: 'v', ttl: null });
    expect(new Set(await Promise.all(all))).toEqual(new Set(['v']));
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('a load that fails is nobody\'s later', async () => {
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await get('a', 60)).toBe('a at 0');
  });

  it('forgets what it is told to', async () => {
    await get('a', 60);
    cache.forget('a');
    expect(cache.peek('a')).toBeUndefined();
  });
});
