import { randomBytes, randomUUID } from 'node:crypto';
import { DEFAULT_TENANT_ID, type Order, type Slot } from '@certwright/core';
import { createTestDatabase } from '@certwright/testing';
import { Client } from 'pg';
import { createDatabase, type Database } from './database';

const OTHER_TENANT = randomUUID();
const BUDGET = { per3Hours: 10, perRegisteredDomainPerWeek: 3 };

describe('the budgets', () => {
  let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
  let database: Database;
  let sql: Client;
  let accountId: string;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32), poolMax: 20 });
    sql = new Client({ connectionString: testDatabase.url });
    await sql.connect();
    await sql.query("INSERT INTO tenants (id, name) VALUES ($1, 'other')", [OTHER_TENANT]);
    accountId = (await database.accounts.findOrCreate('https://ca.test/dir', null, async () => 'key')).id;
  });
  afterEach(async () => {
    await sql.end();
    await database.close();
    await testDatabase.drop();
  });

  async function ordered(tenantId: string, { renewal = false } = {}): Promise<Order> {
    const { id } = await database.domains.create(tenantId, { names: [`${randomUUID()}.test`], verificationToken: 'x', auto: false });
    await database.domains.markVerified(tenantId, id);
    const { order } = await database.orders.create(tenantId, { domainId: id, keyType: 'ec-256', profile: null, phaseMs: 1_000, requestId: null });
    if (renewal) await sql.query('UPDATE orders SET renewal = true WHERE id = $1', [order.id]);
    return { ...order, renewal };
  }
  const take = (order: Order, domain: string = order.id): Promise<Slot> => database.budgets.takeSlot(accountId, order, domain, BUDGET);
  const many = async (count: number, tenantId: string, options = {}): Promise<Order[]> => {
    const orders: Order[] = [];
    for (let index = 0; index < count; index += 1) orders.push(await ordered(tenantId, options));
    return orders;
  };
  const placed = (orders: Order[]) => sql.query("UPDATE orders SET status = 'awaiting_dns' WHERE id = ANY($1)", [orders.map(({ id }) => id)]);

  it('let no more through than they have, however many ask at once', async () => {
    const orders = await many(30, DEFAULT_TENANT_ID);
    const slots = await Promise.all(orders.map((order) => take(order)));
    expect(slots.filter(({ kind }) => kind === 'taken')).toHaveLength(10);
    for (const slot of slots) expect(slot.kind === 'taken' || (slot.by === 'account' && slot.waitMs > 0)).toBe(true);
  });

  it('give what there is plenty of to many at once, and what is left in line', async () => {
    const orders = await many(30, DEFAULT_TENANT_ID);
    const plenty = { per3Hours: 225, perRegisteredDomainPerWeek: 1_000 };
    const slots = await Promise.all(orders.map((order) => database.budgets.takeSlot(accountId, order, 'shop.test', plenty)));
    expect(slots.every(({ kind }) => kind === 'taken')).toBe(true);
    const more = await many(5, DEFAULT_TENANT_ID);
    const few = { per3Hours: 1_000, perRegisteredDomainPerWeek: 32 };
    const last = await Promise.all(more.map((order) => database.budgets.takeSlot(accountId, order, 'shop.test', few)));
    expect(last.filter(({ kind }) => kind === 'taken')).toHaveLength(2);
    const { rows } = await sql.query<{ slots: number }>('SELECT count(*)::int AS slots FROM order_slots');
    expect(rows[0]?.slots).toBe(32);
  });

  it('give no more than there is, however many share statements that do not see each other', async () => {
    const order = await ordered(DEFAULT_TENANT_ID);
    const orders = Array.from({ length: 240 }, () => ({ ...order, id: randomUUID() }));
    await sql.query('BEGIN');
    await sql.query('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [accountId]); // they count, and can't write yet
    const budget = { per3Hours: 210, perRegisteredDomainPerWeek: 10_000 };
    const ask = (one: Order): Promise<Slot> => database.budgets.takeSlot(accountId, one, 'shop.test', budget);
    const asking = Promise.allSettled(orders.map(ask));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await sql.query('COMMIT');
    await asking; // some have waited too long for a connection
    for (const one of orders) await ask(one);
    const { rows } = await sql.query<{ slots: number }>('SELECT count(*)::int AS slots FROM order_slots');
    expect(rows[0]?.slots).toBe(210);
  });

  it('count now and then where there is far more than enough, and each order all the same', async () => {
    const orders = await many(40, DEFAULT_TENANT_ID);
    const plenty = { per3Hours: 100_000, perRegisteredDomainPerWeek: 100_000 };
    for (const batch of [orders.slice(0, 10), orders.slice(10)]) {
      const slots = await Promise.all(batch.map((order) => database.budgets.takeSlot(accountId, order, 'shop.test', plenty)));
      expect(slots.every(({ kind }) => kind === 'taken')).toBe(true);
    }
    const { rows } = await sql.query<{ n: number }>('SELECT count(DISTINCT order_id)::int AS n FROM order_slots');
    expect(rows[0]?.n).toBe(40);
    const [again] = orders;
    if (again) expect((await database.budgets.takeSlot(accountId, again, 'shop.test', plenty)).kind).toBe('taken');
  });

  it('forget what is old without standing in anybody’s way', async () => {
    const [line, plain] = await many(2, DEFAULT_TENANT_ID);
    if (!line || !plain) throw new TypeError('there are two');
    await sql.query(
      `INSERT INTO order_slots (order_id, generation, account_id, tenant_id, registered_domain, renewal, taken_at)
       SELECT gen_random_uuid(), 1, $1, $2, 'old.test', false, clock_timestamp() - interval '8 days' FROM generate_series(1, 50)`,
      [accountId, DEFAULT_TENANT_ID],
    );
    await sql.query('BEGIN');
    await sql.query('DELETE FROM order_slots');
    await sql.query('SELECT 1 FROM accounts WHERE id = $1 FOR KEY SHARE', [accountId]); // as whoever inserts a row that refers to it
    const plenty = { per3Hours: 100_000, perRegisteredDomainPerWeek: 100_000 };
    expect((await database.budgets.takeSlot(accountId, plain, 'shop.test', plenty)).kind).toBe('taken');
    expect((await take(line)).kind).toBe('taken');
    await sql.query('COMMIT');
  });

  it('read what is in the window, not what was taken all week, and forget what is older', async () => {
    await sql.query(
      `INSERT INTO order_slots (order_id, generation, account_id, tenant_id, registered_domain, renewal, taken_at)
       SELECT gen_random_uuid(), 1, $1, $2, 'site-' || n || '.test', false, clock_timestamp() - n * interval '1 minute' FROM generate_series(200, 12000) AS n`,
      [accountId, DEFAULT_TENANT_ID],
    );
    await sql.query('VACUUM ANALYZE order_slots');
    const scans = async (): Promise<number> => {
      await sql.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await sql.query<{ scans: number }>(`SELECT seq_scan::int AS scans FROM pg_stat_user_tables WHERE relname = 'order_slots'`);
      return rows[0]?.scans ?? NaN;
    };
    const [one, two] = await many(2, DEFAULT_TENANT_ID);
    const before = await scans();
    if (!one || !two) throw new TypeError('there are two');
    const other = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32), poolMax: 1 });
    await other.budgets.takeSlot(accountId, one, 'shop.test', { per3Hours: 100_000, perRegisteredDomainPerWeek: 1_000 });
    await other.budgets.takeSlot(accountId, two, 'shop.test', BUDGET);
    await other.close(); // a connection that ends has told what it did
    expect(await scans()).toBe(before);
    const { rows } = await sql.query<{ slots: number }>('SELECT count(*)::int AS slots FROM order_slots');
    expect(rows[0]?.slots).toBe(10_080 - 200 + 2);
  });

  it('tell orders apart that were made in the same moment', async () => {
    const orders = await many(15, DEFAULT_TENANT_ID);
    const createdAt = new Date(1_800_000_000_123);
    await sql.query('UPDATE orders SET created_at = $1', [createdAt]);
    const slots = await Promise.all(orders.map((order) => take({ ...order, createdAt })));
    expect(slots.filter(({ kind }) => kind === 'taken')).toHaveLength(10);
  });

  it('count an order once, however often it is sent, and again for its next generation', async () => {
    const [order] = (await many(1, DEFAULT_TENANT_ID)) as [Order];
    for (let again = 0; again < 20; again += 1) expect((await take(order)).kind).toBe('taken');
    await take({ ...order, generation: 2 });
    expect((await sql.query('SELECT 1 FROM order_slots')).rowCount).toBe(2);
  });

  it('count an order from when it was sent last: what an outage has held up does not come on top of what is new', async () => {
    const [held, ...others] = await many(12, DEFAULT_TENANT_ID);
    if (!held) throw new TypeError('there is one');
    expect((await take(held)).kind).toBe('taken');
    await sql.query("UPDATE order_slots SET taken_at = taken_at - interval '4 hours'");
    for (const order of others.slice(0, 9)) expect((await take(order)).kind).toBe('taken');
    const [next] = others.slice(9);
    if (!next) throw new TypeError('there are eleven');
    expect((await take(next)).kind).toBe('spent'); // the one that is held up stands in line again, before it
    expect((await take(held)).kind).toBe('taken');
    expect((await take(next)).kind).toBe('spent');
    await sql.query("UPDATE order_slots SET taken_at = taken_at - interval '1 hour'");
    expect((await take(held)).kind).toBe('taken'); // once more, and it counts from now
    const { rows } = await sql.query<{ n: number }>("SELECT count(*)::int AS n FROM order_slots WHERE order_id = $1 AND taken_at > clock_timestamp() - interval '1 minute'", [held.id]);
    expect(rows[0]?.n).toBe(1);
  });

  it('serve renewals before first certificates', async () => {
    const first = await many(12, DEFAULT_TENANT_ID);
    const renewals = await many(10, DEFAULT_TENANT_ID, { renewal: true });
    expect((await take(first[0] as Order)).kind).toBe('spent');
    for (const order of renewals) expect((await take(order)).kind).toBe('taken');
  });

  it('serve what is needed within a day before all else, and what has come too late after all else', async () => {
    const needed = async (when: string): Promise<Order> => {
      const order = await ordered(DEFAULT_TENANT_ID, { renewal: true });
      await sql.query(`UPDATE orders SET needed_by = now() + interval '${when}' WHERE id = $1`, [order.id]);
      return order;
    };
    const late: Order[] = [];
    for (let count = 0; count < 12; count += 1) late.push(await needed('-1 year'));
    const first = await many(4, DEFAULT_TENANT_ID);
    const renewals: Order[] = [];
    for (let count = 0; count < 4; count += 1) renewals.push(await needed('20 days'));
    const urgent = await needed('6 hours');
    for (const order of [first[0] as Order, urgent, ...renewals, ...first]) expect((await take(order)).kind).toBe('taken');
    expect((await take(late[0] as Order)).kind).toBe('taken'); // the tenth
    expect((await take(late[1] as Order)).kind).toBe('spent');
  });

  it('serve tenants by turns: who came with many does not hold up who came with few', async () => {
    const bulk = await many(30, DEFAULT_TENANT_ID);
    const few = await many(4, OTHER_TENANT);
    const slots: Slot[] = [];
    for (const order of [...bulk, ...few]) slots.push(await take(order));
    expect(slots.slice(30).map(({ kind }) => kind)).toEqual(['taken', 'taken', 'taken', 'taken']);
  });

  it('say when: what is far down the line waits for as many windows as it takes', async () => {
    const orders = await many(35, DEFAULT_TENANT_ID);
    const taken = orders.slice(0, 10);
    for (const order of taken) expect((await take(order)).kind).toBe('taken');
    await placed(taken);
    const next = await take(orders[10] as Order);
    const last = await take(orders[34] as Order);
    const hours = (slot: Slot): number => (slot.kind === 'spent' ? slot.waitMs / 3_600_000 : 0);
    expect(hours(next)).toBeGreaterThan(2.9);
    expect(hours(next)).toBeLessThan(3.1);
    expect(hours(last)).toBeGreaterThan(8.9);
    expect(hours(last)).toBeLessThan(9.1);
    await sql.query("UPDATE order_slots SET taken_at = taken_at - interval '3 hours'");
    expect((await take(orders[10] as Order)).kind).toBe('taken');
  });

  it('hold first certificates of one registered domain to a few a week, not its renewals', async () => {
    const orders = await many(4, DEFAULT_TENANT_ID);
    for (const order of orders.slice(0, 3)) expect((await take(order, 'shops.test')).kind).toBe('taken');
    expect(await take(orders[3] as Order, 'shops.test')).toMatchObject({ kind: 'spent', by: 'registered-domain' });
    expect((await take(orders[3] as Order, 'other.test')).kind).toBe('taken');
    expect((await take(await ordered(DEFAULT_TENANT_ID, { renewal: true }), 'shops.test')).kind).toBe('taken');
  });
});

describe('a pause of the account', () => {
  it('is kept by the database’s clock, and a longer one stays', async () => {
    const testDatabase = await createTestDatabase();
    const database = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32) });
    const { id } = await database.accounts.findOrCreate('https://ca.test/dir', null, async () => 'key');
    const reason = { code: 'acme_rate_limited' as const, detail: 'slow down' };
    await database.accounts.pause(id, 'orders', 600_000, reason);
    await database.accounts.pause(id, 'orders', 1_000, { ...reason, detail: 'shorter' });
    const account = await database.accounts.findOrCreate('https://ca.test/dir', null, async () => 'another');
    expect(account?.ordersPausedUntil?.getTime()).toBeGreaterThan(Date.now() + 500_000);
    expect(account).toMatchObject({ pausedUntil: null, pauseReason: reason });
    await database.close();
    await testDatabase.drop();
  });
});
