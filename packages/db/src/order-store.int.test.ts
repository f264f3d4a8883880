import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_TENANT_ID, type Lease } from '@certwright/core';
import { createTestDatabase, planFor } from '@certwright/testing';
import { Client } from 'pg';
import { createDatabase, type Database } from './database';

const tenant = DEFAULT_TENANT_ID;
const PHASE_MS = 86_400_000;
const SOON = { dueAt: new Date(), deadlineAt: new Date(Date.now() + PHASE_MS) };
const issued = {
  chainPem: 'chain',
  serial: '01',
  sha256: 'ab',
  issuer: 'Test CA',
  keyType: 'ec-256',
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2026-04-01T00:00:00Z'),
};

describe('the order store', () => {
  let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32), poolMax: 20 });
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  async function verifiedDomain(): Promise<string> {
    const { id } = await database.domains.create(tenant, { names: [`${randomUUID()}.test`], verificationToken: 'x', auto: false });
    await database.domains.markVerified(tenant, id);
    return id;
  }

  const create = (domainId: string) =>
    database.orders.create(tenant, { domainId, keyType: 'ec-256', profile: null, phaseMs: PHASE_MS, requestId: null });

  async function claimed(orderId: string, leaseMs = 30_000): Promise<Lease> {
    const claim = await database.orders.claim(tenant, orderId, leaseMs);
    if (claim.kind !== 'claimed') throw new Error(`not claimed: ${claim.kind}`);
    return claim.lease;
  }

  async function processing(orderId: string): Promise<Lease> {
    const lease = await claimed(orderId);
    await database.orders.advance(lease, 'ready', SOON);
    await database.orders.advance(lease, 'processing', {
      ...SOON,
      keyAndCsr: { privateKeyPem: 'the key', csrDer: Buffer.from('the csr') },
    });
    return lease;
  }

  it('lets one live order per domain in, however many ask at once, and hands all of them that one', async () => {
    const domainId = await verifiedDomain();
    const results = await Promise.all(Array.from({ length: 100 }, () => create(domainId)));
    expect(new Set(results.map(({ order }) => order.id)).size).toBe(1);
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect((await database.domains.get(tenant, domainId))?.status).toBe('certificate_pending');
  });

  it('refuses an order for a domain that is not verified, or another tenant’s', async () => {
    const { id } = await database.domains.create(tenant, { names: [`${randomUUID()}.test`], verificationToken: 'x', auto: false });
    await expect(create(id)).rejects.toMatchObject({ code: 'domain_not_verified' });
    await expect(
      database.orders.create(randomUUID(), { domainId: id, keyType: 'ec-256', profile: null, phaseMs: 1, requestId: null }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  describe('many at once', () => {
    const next = { dueAt: new Date('2027-01-01T00:00:00Z'), reason: null, failed: false };

    const authorizationOf = (identifier: string) => ({
      identifier,
      wildcard: false,
      url: `https://ca.test/authz/${identifier}`,
      challengeUrl: `https://ca.test/challenge/${identifier}`,
      txtName: `_acme-challenge.${identifier}`,
      txtValue: 'value',
      status: 'pending' as const,
    });

    async function ordersOf(count: number): Promise<string[]> {
      return Promise.all(Array.from({ length: count }, async () => (await create(await verifiedDomain())).order.id));
    }

    it('are claimed and let go of, each with its own lease, what was noted of it, and its own next look', async () => {
      const ids = await ordersOf(30);
      const placed = await Promise.all(ids.map((id) => claimed(id)));
      expect(placed.map(({ order }) => order.id)).toEqual(ids);
      await Promise.all(placed.map((lease, at) => database.orders.advance(lease, 'awaiting_dns', { ...SOON, authorizations: [authorizationOf(`n${at}.test`)] })));
      await Promise.all(placed.map((lease) => database.orders.release(lease, next)));
      const leases = await Promise.all(ids.map((id) => claimed(id)));
      await Promise.all(
        leases.map((lease, at) => {
          const [{ id } = { id: '' }] = lease.order.authorizations;
          lease.note([{ id, evidence: { fqdn: `n${at}.test`, verdict: 'absent', via: [], zone: 'test', servers: [], detail: 'None.' } }]);
          return database.orders.release(lease, { ...next, dueAt: new Date(next.dueAt.getTime() + at), failed: at === 7 });
        }),
      );
      const after = await Promise.all(ids.map((id) => database.orders.get(tenant, id)));
      expect(after.map((order) => (order?.dueAt?.getTime() ?? 0) - next.dueAt.getTime())).toEqual(ids.map((_, at) => at));
      expect(after.map((order) => order?.authorizations[0]?.evidence?.fqdn)).toEqual(ids.map((_, at) => `n${at}.test`));
      expect(after.flatMap((order, at) => (order?.failures === 1 ? [at] : []))).toEqual([7]);
      expect(leases.map(({ isHeld }) => isHeld)).toEqual(ids.map(() => false));
    });

    it('do not spoil each other: of those that let go the one whose lease is lost hears of it', async () => {
      const ids = await ordersOf(10);
      const leases = await Promise.all(ids.map((id, at) => claimed(id, at === 4 ? 1 : 30_000)));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const thief = await claimed(ids[4] ?? '');
      const results = await Promise.allSettled([...leases, thief].map((lease) => database.orders.release(lease, next)));
      expect(results.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []))).toEqual([4]);
      expect(results[4]).toMatchObject({ reason: { code: 'lease_lost' } });
    });

    it('are each for its own tenant, and one that is asked for twice for the first alone', async () => {
      const [id = ''] = await ordersOf(1);
      const other = randomUUID();
      const claims = await Promise.all([tenant, other, tenant, other, tenant].map((one) => database.orders.claim(one, id, 30_000)));
      expect(claims.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
      expect(claims.map(({ kind }, at) => (at % 2 === 1 ? kind : 'ours'))).toEqual(['ours', 'over', 'ours', 'over', 'ours']);
    });

    it('do not wait for one whose row somebody else is writing', async () => {
      const ids = await ordersOf(5);
      const other = new Client({ connectionString: testDatabase.url });
      await other.connect();
      try {
        await other.query('BEGIN');
        await other.query('SELECT 1 FROM orders WHERE id = $1 FOR UPDATE', [ids[2]]);
        const claims = await Promise.all(ids.map((id) => database.orders.claim(tenant, id, 30_000)));
        expect(claims.map(({ kind }) => kind)).toEqual(['claimed', 'claimed', 'busy', 'claimed', 'claimed']);
      } finally {
        await other.end();
      }
    });
  });

  it('gives the lease to one of 50 racers', async () => {
    const { order } = await create(await verifiedDomain());
    const claims = await Promise.all(
      Array.from({ length: 50 }, () => database.orders.claim(tenant, order.id, 30_000)),
    );
    expect(claims.map(({ kind }) => kind).sort()).toEqual([...Array<string>(49).fill('busy'), 'claimed']);
  });

  it('writes nothing through a lease that somebody else has taken over', async () => {
    const { order } = await create(await verifiedDomain());
    const stale = await claimed(order.id, 0);
    const fresh = await claimed(order.id);
    await expect(database.orders.advance(stale, 'ready', SOON)).rejects.toMatchObject({ code: 'lease_lost' });
    await expect(database.orders.fail(stale, { code: 'acme_rejected', detail: 'no' })).rejects.toMatchObject({
      code: 'lease_lost',
    });
    await expect(
      database.orders.release(stale, { dueAt: new Date(), reason: null, failed: true }),
    ).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await database.orders.get(tenant, order.id)).toMatchObject({ status: 'new', failures: 0 });
    await database.orders.advance(fresh, 'ready', SOON);
    expect(fresh.order.status).toBe('ready');
  });

  it('writes nothing through a lease whose order was deleted', async () => {
    const domainId = await verifiedDomain();
    const { order } = await create(domainId);
    const lease = await claimed(order.id);
    expect(await database.domains.delete(tenant, domainId)).toBe(true);
    await expect(database.orders.advance(lease, 'ready', SOON)).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('stores key and CSR before anything else can happen, and gives them back', async () => {
    const { order } = await create(await verifiedDomain());
    const lease = await processing(order.id);
    expect(await database.orders.keyAndCsr(lease)).toEqual({
      privateKeyPem: 'the key',
      csrDer: Buffer.from('the csr'),
    });
  });

  it('makes certificate, order and domain change together, and the key openable from the certificate', async () => {
    const domainId = await verifiedDomain();
    const { order } = await create(domainId);
    const lease = await processing(order.id);
    await database.orders.complete(lease, issued, 'the key', planFor(issued));
    const certificate = await database.certificates.latest(tenant, domainId);
    expect(certificate).toMatchObject({ ...issued, orderId: order.id });
    expect(await database.certificates.privateKey(tenant, certificate?.id ?? '')).toBe('the key');
    expect(await database.orders.get(tenant, order.id)).toMatchObject({
      status: 'valid',
      dueAt: null,
      certificateId: certificate?.id,
    });
    expect((await database.domains.get(tenant, domainId))?.status).toBe('active');
    expect(await database.orders.claim(tenant, order.id, 1_000)).toEqual({ kind: 'over' });
  });

  it('fails the domain with the reason, and lets it be asked for again', async () => {
    const domainId = await verifiedDomain();
    const first = await create(domainId);
    await database.orders.fail(await claimed(first.order.id), { code: 'acme_rejected', detail: 'the CA says no' });
    expect(await database.domains.get(tenant, domainId)).toMatchObject({
      status: 'failed',
      statusReason: 'the CA says no',
    });
    const second = await create(domainId);
    expect(second).toMatchObject({ created: true });
    expect(second.order.id).not.toBe(first.order.id);
  });

  it('keeps a domain active when a later order fails', async () => {
    const domainId = await verifiedDomain();
    const first = await create(domainId);
    await database.orders.complete(await processing(first.order.id), issued, 'the key', planFor(issued));
    const second = await create(domainId);
    await database.orders.fail(await claimed(second.order.id), { code: 'acme_rejected', detail: 'no' });
    expect((await database.domains.get(tenant, domainId))?.status).toBe('active');
  });

  it('finds overdue orders that nobody works on, and only those', async () => {
    const ids = [];
    for (let index = 0; index < 3; index += 1) ids.push((await create(await verifiedDomain())).order.id);
    const [overdue, leased, later] = ids as [string, string, string];
    await claimed(leased);
    const lease = await claimed(later);
    await database.orders.release(lease, { dueAt: new Date(Date.now() + 60_000), reason: null, failed: false });
    const found = (await database.orders.overdue(0, 1_000)).map(({ id }) => id);
    expect(found).toContain(overdue);
    expect(found).not.toContain(leased);
    expect(found).not.toContain(later);
    expect((await database.orders.overdue(60_000, 1_000)).map(({ id }) => id)).not.toContain(overdue);
  });
});

describe('the account store', () => {
  it('gives 20 workers that start at once on an empty database the same key', async () => {
    const testDatabase = await createTestDatabase();
    const database = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32), poolMax: 20 });
    let made = 0;
    const accounts = await Promise.all(
      Array.from({ length: 20 }, () =>
        database.accounts.findOrCreate('https://ca.test/dir', 'ops@example.test', async () => `key ${(made += 1)}`),
      ),
    );
    expect(new Set(accounts.map(({ id, privateKeyPem }) => `${id} ${privateKeyPem}`)).size).toBe(1);
    await database.close();
    await testDatabase.drop();
  });
});

describe('the master key', () => {
  it('is refused when the database was sealed with another one, and nothing is changed', async () => {
    const testDatabase = await createTestDatabase();
    const key = randomBytes(32);
    const open = (sealingKey: Buffer) => createDatabase({ url: testDatabase.url, sealingKey });
    const [first, wrong, again] = [open(key), open(randomBytes(32)), open(key)];
    await first.verifySealingKey();
    await expect(wrong.verifySealingKey()).rejects.toThrow(/is not the key this database was sealed with/);
    await again.verifySealingKey();
    await Promise.all([first.close(), wrong.close(), again.close()]);
    await testDatabase.drop();
  });
});

describe('the database', () => {
  it('says that it is unavailable when nothing listens there', async () => {
    const database = createDatabase({ url: 'postgresql://u:p@127.0.0.1:1/none', sealingKey: randomBytes(32) });
    await expect(database.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(database.domains.get(tenant, randomUUID())).rejects.toMatchObject({ disposition: 'transient' });
    await database.close();
  });
});
