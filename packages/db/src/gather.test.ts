import { gather } from './gather';

describe('what is gathered', () => {
  function recorded() {
    const runs: number[][] = [];
    const letGo: (() => void)[] = [];
    const run = (items: number[]): Promise<string[]> => {
      runs.push(items);
      return new Promise((resolve, reject) => letGo.push(() => (items.includes(13) ? reject(new Error('13')) : resolve(items.map(String)))));
    };
    const go = async (): Promise<void> => {
      for (const one of letGo.splice(0)) one();
      await new Promise((resolve) => setTimeout(resolve, 30)); // longer than runs are apart
    };
    return { runs, go, ask: gather(run) };
  }

  it('runs alone at once, and together where others came meanwhile, each with its own result', async () => {
    const { runs, go, ask } = recorded();
    const all = Promise.all([1, 2, 3].map(ask));
    expect(runs).toEqual([[1]]);
    await go();
    expect(runs).toEqual([[1], [2, 3]]);
    await go();
    expect(await all).toEqual(['1', '2', '3']);
    void ask(4);
    expect(runs).toHaveLength(3);
  });

  it('is never more than 50', async () => {
    const { runs, go, ask } = recorded();
    const all = Promise.all(Array.from({ length: 121 }, (_, at) => ask(at + 100)));
    for (let times = 0; times < 4; times += 1) await go();
    expect(runs.map(({ length }) => length)).toEqual([1, 50, 50, 20]);
    expect(await all).toHaveLength(121);
  });

  it('of a run that fails each runs alone: the one at fault fails, and no other', async () => {
    const { runs, go, ask } = recorded();
    const results = Promise.allSettled([1, 13, 2].map(ask));
    for (let times = 0; times < 3; times += 1) await go();
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(runs).toEqual([[1], [13, 2], [13], [2]]);
    const next = ask(5);
    await go();
    expect(await next).toBe('5');
  });

  it('does not wait for a run that hangs', async () => {
    const { runs, go, ask } = recorded();
    const all = Promise.all([1, 2].map(ask));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(runs).toEqual([[1], [2]]);
    await go();
    expect(await all).toEqual(['1', '2']);
  });
});
