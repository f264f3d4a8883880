import { randomBytes } from 'node:crypto';
import { DEFAULT_TENANT_ID, type Forecast } from '@certwright/core';
import { createTestDatabase } from '@certwright/testing';
import { createDatabase, type Database } from './database';

const tenant = DEFAULT_TENANT_ID;
const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

describe('what verify has seen of a delegation', () => {
  it.each([false, true])('is kept, and leaves the next look as it is; auto: %s', async (auto) => {
    const test = await createTestDatabase();
    const database = createDatabase({ url: test.url, sealingKey: randomBytes(32) });
    try {
      const before = await database.domains.create(tenant, { names: ['seen.test'], verificationToken: 'token', auto });
      const seen: Forecast = { at: new Date().toISOString(), isReady: true, needsValue: false, records: [], refusal: null };
      const verified = await database.domains.markVerified(tenant, before.id, ['seen.test'], seen);
      expect(verified).toMatchObject({ status: 'verified', forecast: auto ? null : seen, watchAt: before.watchAt });
    } finally {
      await database.close();
      await test.drop();
    }
  });
});

describe('the next look at a delegation, brought forward', () => {
  let test: Awaited<ReturnType<typeof createTestDatabase>>;
  let database: Database;
  let id: string;
  beforeAll(async () => {
    test = await createTestDatabase();
    database = createDatabase({ url: test.url, sealingKey: randomBytes(32) });
    ({ id } = await database.domains.create(tenant, { names: ['watched.test'], verificationToken: 'token', auto: false }));
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const looked = (agoMs: number, delayMs: number | null): Promise<void> => {
    const forecast: Forecast = { at: new Date(Date.now() - agoMs).toISOString(), isReady: true, needsValue: false, records: [], refusal: null };
    return database.domains.noteForecast(tenant, id, { forecast, delayMs });
  };

  it('is due at once, where the last look is older than that, and for one asker of several', async () => {
    await looked(2 * MINUTE_MS, DAY_MS);
    expect(await database.domains.claimWatch(tenant, id, MINUTE_MS)).toBeNull();
    const asked = await Promise.all([1, 2, 3].map(() => database.domains.watchNow(tenant, id, MINUTE_MS)));
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(await database.domains.claimWatch(tenant, id, MINUTE_MS)).toMatchObject({ id });
  });

  it.each([
    ['the last look is younger', 0, DAY_MS],
    ['none is to come', 2 * MINUTE_MS, null],
  ])('is not brought forward where %s', async (_what, agoMs, delayMs) => {
    await looked(agoMs, delayMs);
    expect(await database.domains.watchNow(tenant, id, MINUTE_MS)).toBe(false);
    expect(await database.domains.claimWatch(tenant, id, MINUTE_MS)).toBeNull();
  });
});
