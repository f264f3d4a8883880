import { checkHealth } from './health';

it('is ok when every check passes, and when there is none', async () => {
  expect(await checkHealth({ database: async () => undefined })).toEqual({ ok: true, checks: { database: 'ok' } });
  expect(await checkHealth({})).toEqual({ ok: true, checks: {} });
});

it('names the checks that fail, however they do, and says nothing of why', async () => {
  const health = await checkHealth({
    fine: async () => undefined,
    rejects: async () => Promise.reject(new Error('password=hunter2')),
    throws: () => {
      throw new Error('hunter2');
    },
  });
  expect(health).toEqual({ ok: false, checks: { fine: 'ok', rejects: 'failing', throws: 'failing' } });
});

it('waits 2 s for the slowest, all side by side', async () => {
  const never = () => new Promise<void>(() => undefined);
  const startedAt = performance.now();
  expect(await checkHealth({ a: never, b: never, c: never })).toMatchObject({ ok: false });
  const took = performance.now() - startedAt;
  expect(took).toBeGreaterThan(1_900);
  expect(took).toBeLessThan(4_000);
});
