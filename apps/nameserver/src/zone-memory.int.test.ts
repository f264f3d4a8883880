import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_TENANT_ID } from '@certwright/core';
import { createDatabase, createZoneDatabase, type Database, type ZoneDatabase } from '@certwright/db';
import { createTestDatabase, findDnsProgram, freeDnsPort, runDnsProgram, type TestDatabase } from '@certwright/testing';
import { Client } from 'pg';
import { followZone } from './follow-zone';
import { APEX, ZONE } from './fuzz/corpus';
import { createRateLimit } from './rate-limit';
import { startNameServer } from './server';
import { createZoneMemory, type ZoneMemory } from './zone-memory';

const ROLE = `ns_${randomBytes(4).toString('hex')}`;

/** What docs/nameserver.md tells operators to run. */
const grants = (): string =>
  (/```sql\n([^`]+)```/.exec(readFileSync(path.resolve(__dirname, '../../../docs/nameserver.md'), 'utf8'))?.[1] ?? '')
    .replaceAll('certwright_nameserver', ROLE)
    .replace("'…'", "'readonly'");

describe('the zone in memory', () => {
  let test: TestDatabase;
  let admin: Client;
  let database: Database;
  let readOnly: ZoneDatabase;
  let memory: ZoneMemory;
  beforeAll(async () => {
    test = await createTestDatabase();
    admin = new Client({ connectionString: test.url });
    await admin.connect();
    await admin.query(grants());
    database = createDatabase({ url: test.url, sealingKey: randomBytes(32) });
    const url = new URL(test.url);
    [url.username, url.password] = [ROLE, 'readonly'];
    readOnly = createZoneDatabase(url.href);
  });
  afterAll(async () => {
    await readOnly.close();
    await database.close();
    await admin.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
    await admin.end();
    await test.drop();
  });
  beforeEach(() => {
    memory = createZoneMemory(readOnly.zone);
  });

  async function domain(): Promise<{ id: string; label: string }> {
    const names: [string] = [`${randomBytes(4).toString('hex')}.customer.test`];
    const { id, delegationLabel: label } = await database.domains.create(DEFAULT_TENANT_ID, { names, verificationToken: 'x', auto: false });
    await database.domains.markVerified(DEFAULT_TENANT_ID, id);
    return { id, label };
  }

  /** As a worker does that has placed an order for a name and its wildcard. */
  async function placed(domainId: string, values: string[]): Promise<string> {
    const order = { domainId, keyType: 'ec-256' as const, profile: null, phaseMs: 60_000, requestId: null };
    const { order: created } = await database.orders.create(DEFAULT_TENANT_ID, order);
    const claim = await database.orders.claim(DEFAULT_TENANT_ID, created.id, 30_000);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    const authorizations = values.map((txtValue, index) => ({
      identifier: 'x.test',
      wildcard: index === 1,
      url: `https://ca.test/${index}`,
      challengeUrl: `https://ca.test/c/${index}`,
      txtName: '_acme-challenge.x.test',
      txtValue,
      status: 'pending' as const,
    }));
    const soon = new Date(Date.now() + 60_000);
    await database.orders.advance(claim.lease, 'awaiting_dns', { dueAt: soon, deadlineAt: soon, authorizations, letGo: true });
    return created.id;
  }

  it('answers nothing before it is loaded, then each label with its proof', async () => {
    const { label } = await domain();
    expect(memory.lookup(label)).toBeNull();
    await memory.load();
    expect(memory.lookup(label)).toEqual([`certwright-delegation=${label}`]);
    expect(memory.lookup('nobody')).toBeNull();
  });

  it('has what is new at the next look: a label, the values of an order, and that they are over', async () => {
    await memory.load();
    const { id, label } = await domain();
    const orderId = await placed(id, ['one', 'two']);
    await memory.refresh(performance.now());
    expect(memory.lookup(label)?.slice(1).sort()).toEqual(['one', 'two']);
    const claim = await database.orders.claim(DEFAULT_TENANT_ID, orderId, 30_000);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await database.orders.fail(claim.lease, { code: 'acme_rejected', detail: 'no' });
    await memory.refresh(performance.now());
    expect(memory.lookup(label)).toHaveLength(1);
  });

  it('finds what was committed after something later', async () => {
    await memory.load();
    const { id, label } = await domain();
    const late = new Client({ connectionString: test.url });
    await late.connect();
    await late.query('BEGIN');
    await late.query(`INSERT INTO domain_events (domain_id, kind) VALUES ($1, 'verified')`, [id]);
    await late.query(`UPDATE delegations SET label = $2 WHERE domain_id = $1`, [id, `new${label.slice(3)}`]);
    await domain(); // a later event, committed before
    const now = performance.now();
    await memory.refresh(now);
    await memory.refresh(now + 300);
    await late.query('COMMIT');
    await late.end();
    await memory.refresh(now + 600);
    expect(memory.lookup(`new${label.slice(3)}`)).not.toBeNull();
  });

  it('keeps the label of a deleted domain for nobody', async () => {
    const { id, label } = await domain();
    await database.domains.delete(DEFAULT_TENANT_ID, id);
    const { rows } = await admin.query('SELECT domain_id FROM delegations WHERE label = $1', [label]);
    expect(rows).toEqual([{ domain_id: null }]); // there, so that nobody else can ever get it
    await memory.load();
    expect(memory.lookup(label)).toBeNull();
  });

  it('can read, and nothing else', async () => {
    const url = new URL(test.url);
    [url.username, url.password] = [ROLE, 'readonly'];
    const client = new Client({ connectionString: url.href });
    await client.connect();
    for (const sql of ['SELECT sealed_key FROM orders', 'SELECT * FROM accounts', 'SELECT * FROM domains', 'DELETE FROM delegations']) {
      await expect(client.query(sql)).rejects.toThrow(/permission denied/);
    }
    await client.end();
  });

  it('goes on with what it knows when PostgreSQL is away', async () => {
    const { label } = await domain();
    const gone = createZoneDatabase('postgresql://nobody:nothing@127.0.0.1:1/none');
    let isAway = false;
    const store = new Proxy(readOnly.zone, { get: (zone, name) => Reflect.get(isAway ? gone.zone : zone, name) as unknown });
    const lasting = createZoneMemory(store);
    await lasting.load();
    isAway = true;
    await expect(lasting.refresh(performance.now())).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(lasting.lookup(label)).toHaveLength(1);
    await gone.close();
  });

  describe('followed and served', () => {
    const ADDRESS = '127.0.0.56';
    let port: number;
    let close: () => Promise<void>;
    const warnings: string[] = [];
    beforeEach(async () => {
      warnings.length = 0;
      port = await freeDnsPort([ADDRESS]);
      const logger = { info: () => undefined, warn: (message: string) => void warnings.push(message) };
      const follower = followZone(memory, { logger, synced: () => undefined });
      await follower.loaded;
      const rateLimit = createRateLimit(1_000);
      const server = await startNameServer({ zone: ZONE, lookup: memory.lookup, rateLimit, listen: [{ address: ADDRESS, port }], seen: () => undefined });
      close = async () => void (await Promise.all([server.close(), follower.stop()]));
    });
    afterEach(() => close());

    const txt = async (label: string): Promise<string[]> =>
      (await runDnsProgram(findDnsProgram('knot', 'kdig'), [`@${ADDRESS}`, '-p', String(port), '+short', `${label}.${APEX}`, 'TXT'])).trim().split('\n');

    /** How long until a name has so many values, in milliseconds. */
    async function untilAnswered(label: string, count: number): Promise<number> {
      const startedAt = performance.now();
      while ((await txt(label)).length < count && performance.now() < startedAt + 10_000);
      expect(await txt(label)).toHaveLength(count);
      return performance.now() - startedAt;
    }

    it('a value is answered within a second of its order being placed', async () => {
      const took: number[] = [];
      for (let count = 0; count < 5; count += 1) {
        const { id, label } = await domain();
        await placed(id, ['one', 'two']);
        took.push(await untilAnswered(label, 3));
      }
      expect(Math.max(...took)).toBeLessThan(1_000);
    });

    it('answers go on while PostgreSQL takes no connections, and what was placed meanwhile comes after', async () => {
      const { id, label } = await domain();
      await placed(id, ['one']);
      await untilAnswered(label, 2);
      const later = await domain();
      const name = new URL(test.url).pathname.slice(1);
      await admin.query(`ALTER ROLE ${ROLE} NOLOGIN`);
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2', [name, ROLE]);
      await placed(later.id, ['one']);
      for (const giveUpAt = performance.now() + 10_000; warnings.length === 0 && performance.now() < giveUpAt; ) {
        expect(await txt(label)).toEqual([`"certwright-delegation=${label}"`, '"one"']);
      }
      expect(warnings).toEqual(['the zone cannot be read: answers go on from memory']);
      expect(await txt(label)).toHaveLength(2);
      await admin.query(`ALTER ROLE ${ROLE} LOGIN`);
      expect(await untilAnswered(later.label, 2)).toBeLessThan(5_000);
    });
  });
});
