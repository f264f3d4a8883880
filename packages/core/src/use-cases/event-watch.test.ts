import { watchEvents } from './event-watch';

/** Domains and the ids of their newest events, and how often somebody looked. */
function world(newest: Record<string, string>) {
  const looks: string[][] = [];
  const watch = watchEvents({
    newest: async (ids) => {
      looks.push(ids);
      return ids.flatMap((domainId) => (newest[domainId] ? [{ domainId, id: newest[domainId] }] : []));
    },
  });
  return { newest, looks, watch };
}

const LONG = { timeoutMs: 60_000 };

describe('waiting for what happens to a domain', () => {
  it('ends at once where something has happened since', async () => {
    const { watch } = world({ a: '10' });
    await watch.untilNews('a', '9', LONG);
    await watch.untilNews('a', '', LONG);
  });

  it('ends when something happens; all who wait cost one look', async () => {
    const { watch, newest, looks } = world({ a: '9', b: '100' });
    const waiting = Promise.all([watch.untilNews('a', '9', LONG), watch.untilNews('b', '100', LONG), watch.untilNews('b', '100', LONG)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    Object.assign(newest, { a: '11', b: '101' });
    await waiting;
    expect(looks.every((ids) => new Set(ids).size === ids.length)).toBe(true);
    expect(looks.some((ids) => ids.length === 2)).toBe(true);
  });

  it('ends when its time is up, when nobody listens any more, or when the process stops', async () => {
    const { watch } = world({ a: '9' });
    await watch.untilNews('a', '9', { timeoutMs: 10 });
    const gone = new AbortController();
    const listening = watch.untilNews('a', '9', { ...LONG, signal: gone.signal });
    gone.abort();
    await listening;
    const last = watch.untilNews('a', '9', LONG);
    watch.close();
    await last;
    await watch.untilNews('a', '9', LONG);
  });

  it('hands on what the store throws', async () => {
    const watch = watchEvents({ newest: () => Promise.reject(new Error('the database is away')) });
    await expect(watch.untilNews('a', '9', LONG)).rejects.toThrow('away');
  });
});
