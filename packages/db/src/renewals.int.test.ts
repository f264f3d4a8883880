import { randomBytes } from 'node:crypto';
import {
  type AcmeRenewalInfo,
  DEFAULT_TENANT_ID,
  delegationProof,
  type Diagnosis,
  type DomainEvent,
  type Order,
  type OrderJob,
  renewDue,
  type RenewDueDeps,
  transient,
  type TxtEvidence,
  waitFor,
} from '@certwright/core';
import { createTestDatabase, type DatabaseClock, planFor, settableClock } from '@certwright/testing';
import { Client } from 'pg';
import { createDatabase, type Database } from './database';

const tenant = DEFAULT_TENANT_ID;
const DAY = 86_400_000;
const ACME_ZONE = 'acme.platform.test';
const T0 = new Date('2027-01-01T00:00:00Z');
const day = (days: number): Date => new Date(T0.getTime() + days * DAY);
const issuedFor = (days: number, at = T0) => ({
  chainPem: 'chain',
  serial: '01',
  sha256: 'ab',
  issuer: 'Test CA',
  keyType: 'ec-256',
  notBefore: at,
  notAfter: new Date(at.getTime() + days * DAY),
});

/** The real scheduling on a real database whose clock is set; what the CA suggests and what DNS says is settled here. */
describe('renewals', () => {
  let test: Awaited<ReturnType<typeof createTestDatabase>>;
  let clock: DatabaseClock;
  let database: Database;
  let suggestion: () => Promise<AcmeRenewalInfo | null>;
  let isDelegated = true;
  let placed: string[] = [];
  beforeAll(async () => {
    test = await createTestDatabase();
    clock = await settableClock(test.url);
    database = createDatabase({ url: test.url, sealingKey: randomBytes(32) });
  });
  afterAll(async () => {
    await database.close();
    await clock.close();
    await test.drop();
  });
  beforeEach(async () => {
    suggestion = async () => null;
    isDelegated = true;
    placed = [];
    await clock.set(T0);
  });

  const diagnosis = (code: Diagnosis['code']): Diagnosis => ({
    code,
    message: `It is ${code}.`,
    actor: 'customer',
    action: 'Set it.',
    set: null,
    remove: [],
    waiting: { helps: false, until: null },
    at: T0.toISOString(),
    since: T0.toISOString(),
    facts: {},
  });
  const deps = (): RenewDueDeps => ({
    ...database,
    acme: { directoryUrl: 'https://ca.test/dir', certId: (chainPem) => `aki.${chainPem}`, renewalInfo: () => suggestion() },
    asking: { pausedUntil: new Date(0) },
    jobs: {
      enqueue: async (_name, payload) => {
        placed.push((payload as OrderJob).orderId);
        return true;
      },
    },
    txtLookup: {
      lookup: async (fqdn, expected): Promise<TxtEvidence> => ({
        fqdn,
        verdict: isDelegated && expected.every((one) => one.startsWith(delegationProof(''))) ? 'ready' : 'absent',
        via: [],
        zone: null,
        servers: [],
        detail: '',
      }),
    },
    dnsDoctor: { diagnose: async ({ evidence }) => diagnosis(evidence.verdict === 'ready' ? 'ready' : 'delegation_missing') },
    acmeZone: ACME_ZONE,
    phaseTimeoutMs: 3 * DAY,
    keyType: 'ec-256',
    profile: null,
  });
  const look = (): Promise<number> => renewDue(deps());

  /** A domain with a certificate of so many days, issued now. */
  async function certified(days: number, more: Parameters<typeof planFor>[1] = {}): Promise<string> {
    const name = `${randomBytes(4).toString('hex')}.customer.test`;
    const { id } = await database.domains.create(tenant, { names: [name], verificationToken: 'x', auto: false });
    await database.domains.markVerified(tenant, id);
    const { order } = await database.orders.create(tenant, { domainId: id, keyType: 'ec-256', profile: null, phaseMs: DAY, requestId: null });
    await complete(order, days, { manual: false, ...more });
    return id;
  }
  async function claimed({ id }: Order) {
    const claim = await database.orders.claim(tenant, id, 30_000);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    return claim.lease;
  }
  async function complete(order: Order, days: number, more: Parameters<typeof planFor>[1] = {}): Promise<void> {
    const lease = await claimed(order);
    const now = lease.now();
    const soon = { dueAt: now, deadlineAt: new Date(now.getTime() + DAY) };
    await database.orders.advance(lease, 'ready', soon);
    await database.orders.advance(lease, 'processing', { ...soon, keyAndCsr: { privateKeyPem: 'key', csrDer: Buffer.from('csr') } });
    const issued = issuedFor(days, now);
    await database.orders.complete(lease, issued, 'key', planFor(issued, more));
  }
  const renewalOf = async (id: string) => {
    const renewal = await database.renewals.get(tenant, id);
    if (!renewal) throw new Error('there is none');
    return renewal;
  };
  const latest = async (id: string): Promise<Order> => {
    const order = await database.orders.latest(tenant, id);
    if (!order) throw new Error('there is none');
    return order;
  };
  async function news(id: string): Promise<Extract<DomainEvent, { kind: 'renewal' }>[]> {
    const events = await database.events.ofDomain(tenant, id, { limit: 100 });
    return events.flatMap((event) => (event.kind === 'renewal' ? [event] : []));
  }

  it.each([90, 45, 6])('a certificate of %d days is replaced in its window, and not before; the domain stays active', async (days) => {
    const id = await certified(days, { certId: `aki.${days}` });
    const { window } = await renewalOf(id);
    await clock.set(new Date(window.start.getTime() - 1));
    await look();
    expect(placed).toEqual([]);
    await clock.set(window.end);
    await look();
    const order = await latest(id);
    expect(placed).toEqual([order.id]);
    expect(order).toMatchObject({ status: 'new', renewal: true, replaces: `aki.${days}`, neededBy: day(days) });
    expect((await database.domains.get(tenant, id))?.status).toBe('active');
    await complete(order, days, { manual: null });
    const after = await renewalOf(id);
    expect([after.failures, after.manual, after.lastError]).toEqual([0, false, null]); // manual: nothing new was learned of it
    expect(after.window.start > window.end).toBe(true);
    await database.domains.delete(tenant, id);
  });

  it('is done once, however many passes there are at a time', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => certified(90)));
    await clock.set(day(61));
    await Promise.all([look(), look(), look(), look()]);
    expect(placed).toHaveLength(20);
    expect(new Set(placed)).toEqual(new Set(await Promise.all(ids.map(async (id) => (await latest(id)).id))));
    await look();
    expect(placed).toHaveLength(20);
    for (const id of ids) await database.domains.delete(tenant, id);
  });

  it('that fails leaves the domain active, says why, and is tried again later and later, but in time', async () => {
    const id = await certified(90);
    await clock.set(day(60));
    const tries: number[] = [];
    for (let now = day(60); now < day(90); ) {
      const before = placed.length;
      await look();
      if (placed.length > before) {
        tries.push((now.getTime() - T0.getTime()) / DAY);
        await database.orders.fail(await claimed(await latest(id)), { code: 'acme_rejected', detail: 'the CA says no' });
        expect(await database.domains.get(tenant, id)).toMatchObject({ status: 'active', statusReason: null });
        expect(await renewalOf(id)).toMatchObject({ failures: tries.length, lastError: { code: 'acme_rejected' }, renewAt: null });
        await look(); // settles when
      }
      const { renewAt } = await renewalOf(id);
      now = renewAt && renewAt > now ? renewAt : new Date(now.getTime() + 60_000);
      await clock.set(now);
    }
    expect(tries.length).toBeGreaterThan(25);
    expect(90 - (tries.at(-1) ?? 0)).toBeLessThan(0.01); // the last one a quarter of an hour before the end
    await clock.set(day(90.01));
    await look();
    expect((await news(id)).filter(({ step }) => step === 'expired')).toHaveLength(1);
    await clock.set(day(95));
    await look();
    expect((await news(id)).filter(({ step }) => step === 'expired')).toHaveLength(1);
    await complete(await latest(id), 90); // better late
    expect(await renewalOf(id)).toMatchObject({ failures: 0, lastError: null });
  });

  it('is not even ordered while its delegation is broken, and is as soon as it is mended', async () => {
    const id = await certified(90);
    await clock.set(day(61));
    isDelegated = false;
    await look();
    expect(placed).toEqual([]);
    const { renewAt, ...renewal } = await renewalOf(id);
    expect(renewal).toMatchObject({ failures: 1, lastError: { code: 'dns_not_ready', detail: 'It is delegation_missing. Set it.' } });
    expect(await news(id)).toMatchObject([{ step: 'blocked' }]);
    isDelegated = true;
    await clock.set(renewAt ?? T0);
    await look();
    expect(placed).toHaveLength(1);
    expect(await news(id)).toHaveLength(1); // the same again would have been no news
    await database.domains.delete(tenant, id);
  });

  describe('by hand', () => {
    it('tells the owner what to set and until when, again as time runs out, and again when the value is another', async () => {
      const id = await certified(90, { manual: true });
      await clock.set(day(61));
      isDelegated = false; // is not asked for
      await look();
      const order = await latest(id);
      const waiting = async (value: string): Promise<void> => {
        const lease = await claimed(await latest(id));
        const soon = { dueAt: day(90), deadlineAt: day(90) };
        const authorization = { identifier: 'x.test', wildcard: false, url: `https://ca.test/${value}`, challengeUrl: 'https://ca.test/c', status: 'pending' as const };
        await database.orders.advance(lease, 'awaiting_dns', { ...soon, authorizations: [{ ...authorization, txtName: '_acme-challenge.x.test', txtValue: value }], letGo: true });
      };
      await waiting('one');
      const seen: [number, unknown][] = [];
      const lookOn = async (from: number, to: number): Promise<void> => {
        for (let at = from; at < to; at += 0.1) {
          await clock.set(day(at));
          const before = (await news(id)).length;
          await look();
          for (const event of (await news(id)).slice(before)) seen.push([Math.round(at), event.step === 'reminder' ? event.records[0]?.values : event.step]);
        }
      };
      await lookOn(61.1, 75);
      const lease = await claimed(order);
      await database.orders.restart(lease, { dueAt: day(75), deadlineAt: day(90), reason: { code: 'acme_order_gone', detail: 'expired' } });
      await waiting('two');
      await lookOn(75.1, 90.5);
      expect(seen).toEqual([
        [61, ['one']],
        [75, ['two']], // another value; the reminder of day 76 is still to come
        [76, ['two']],
        [83, ['two']],
        [87, ['two']],
        [89, ['two']],
        [90, 'expired'],
      ]);
      await database.domains.delete(tenant, id);
    });

    it('asks for nothing at a name whose value is seen to come through the alias', async () => {
      const id = await certified(90, { manual: true });
      await clock.set(day(61));
      await look();
      const lease = await claimed(await latest(id));
      const soon = { dueAt: day(62), deadlineAt: day(90) };
      const asked = (label: string) => ({
        identifier: `${label}.test`,
        wildcard: false,
        url: `https://ca.test/${label}`,
        challengeUrl: 'https://ca.test/c',
        status: 'pending' as const,
        txtName: `_acme-challenge.${label}.test`,
        txtValue: label,
      });
      await database.orders.advance(lease, 'awaiting_dns', { ...soon, authorizations: [asked('x'), asked('y')], letGo: true });
      const { delegationLabel = '' } = (await database.domains.get(tenant, id)) ?? {};
      const looked = await claimed(await latest(id));
      const [x] = looked.order.authorizations;
      const evidence = { fqdn: '_acme-challenge.x.test', verdict: 'absent' as const, via: [`${delegationLabel}.${ACME_ZONE}`], zone: ACME_ZONE, servers: [], detail: '' };
      looked.note([{ id: x?.id ?? '', evidence }]);
      await database.orders.release(looked, { dueAt: day(62), reason: { code: 'dns_not_ready', detail: 'Not yet.' }, failed: false });
      await clock.set(day(61.1));
      await look();
      expect(await news(id)).toMatchObject([{ step: 'reminder', records: [{ fqdn: '_acme-challenge.y.test', values: ['y'] }] }]);
      await database.domains.delete(tenant, id);
    });
  });

  describe('as the CA suggests (RFC 9773)', () => {
    const suggests = (from: number, to: number, more: Partial<AcmeRenewalInfo> = {}) => {
      let asked = 0;
      suggestion = async () => {
        asked += 1;
        return { start: day(from), end: day(to), explanationUrl: null, retryAfterMs: 6 * 3_600_000, ...more };
      };
      return () => asked;
    };

    it('a random moment in its window, kept as long as the window is; asked again when it says', async () => {
      const id = await certified(90, { certId: 'aki.1', askAt: T0 });
      const asked = suggests(58, 60);
      await look();
      const first = await renewalOf(id);
      expect(first.window).toEqual({ start: day(58), end: day(60) });
      expect(first.renewAt && first.renewAt >= day(58) && first.renewAt < day(60)).toBe(true);
      expect(first.askAt).toEqual(day(0.25));
      await look();
      expect(asked()).toBe(1);
      await clock.set(day(0.25));
      await look();
      expect(asked()).toBe(2);
      expect((await renewalOf(id)).renewAt).toEqual(first.renewAt);
      expect(await news(id)).toEqual([]); // within what was guessed
      await database.domains.delete(tenant, id);
    });

    it('at once, where it moves the window into the past before it revokes; told with its explanation, and once', async () => {
      const id = await certified(90, { certId: 'aki.2', askAt: T0 });
      suggests(58, 60);
      await look();
      suggests(-2, -1, { explanationUrl: 'https://ca.test/incident' });
      await clock.set(day(1));
      await look();
      expect(placed).toHaveLength(1);
      expect((await latest(id)).neededBy).toEqual(day(1 + 4 / 24)); // urgent: it is about to be revoked
      expect(await news(id)).toMatchObject([{ step: 'moved', explanationUrl: 'https://ca.test/incident' }]);
      expect((await renewalOf(id)).explanationUrl).toBe('https://ca.test/incident');
      await complete(await latest(id), 90);
      expect((await renewalOf(id)).explanationUrl).toBeNull();
      await look();
      expect(placed).toHaveLength(1);
      await database.domains.delete(tenant, id);
    });

    it.each([6, 45])('at once, however little sooner that is than its own time: told all the same, of %d days', async (days) => {
      const id = await certified(days, { certId: 'aki.6', askAt: T0 });
      const at = days === 6 ? 1.5 : 27;
      suggests(at - 2 / 24, at - 1 / 24, { explanationUrl: 'https://ca.test/incident' });
      await clock.set(day(at));
      await look();
      expect(placed).toEqual([(await latest(id)).id]);
      expect(await news(id)).toMatchObject([{ step: 'moved', explanationUrl: 'https://ca.test/incident' }]);
      await database.domains.delete(tenant, id);
    });

    it('but never within half a day of its issuance, whatever it says', async () => {
      const id = await certified(90, { certId: 'aki.3', askAt: T0 });
      suggests(-2, -1);
      await look();
      expect(placed).toEqual([]);
      await clock.set(day(0.5));
      await look();
      expect(placed).toHaveLength(1);
      await database.domains.delete(tenant, id);
    });

    it('is not needed: no answer, or nonsense, changes nothing, and one question that hangs keeps no other from its renewal', async () => {
      const ids = await Promise.all(Array.from({ length: 30 }, () => certified(90, { certId: 'aki.4', askAt: T0 })));
      let asked = 0;
      suggestion = async () => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw transient('acme_unreachable', 'no answer');
      };
      await clock.set(day(61));
      await look();
      expect(asked).toBeLessThanOrEqual(8);
      expect(placed).toHaveLength(30);
      for (const id of ids) await database.domains.delete(tenant, id);
    });

    it('leaves no time: is not heeded', async () => {
      const id = await certified(90, { certId: 'aki.7', askAt: T0 });
      suggests(100, 110);
      await look();
      await clock.set(day(60));
      await look();
      expect(placed).toHaveLength(1);
      await database.domains.delete(tenant, id);
    });

    it('is asked of certificates, too, that nobody has asked of before', async () => {
      const id = await certified(90, { certId: null, askAt: T0 });
      suggests(40, 41);
      await look();
      expect(await renewalOf(id)).toMatchObject({ certId: 'aki.chain', window: { start: day(40), end: day(41) } });
      await database.domains.delete(tenant, id);
    });

    it('is left alone for as long as it has asked for', async () => {
      const [one, other] = [await certified(90, { certId: 'aki.8', askAt: T0 }), await certified(90, { certId: 'aki.9', askAt: new Date(T0.getTime() + 60_000) })];
      let asked = 0;
      suggestion = async () => {
        asked += 1;
        throw waitFor('acme_rate_limited', 'slow down', 3_600_000);
      };
      const same = deps();
      await renewDue(same);
      await clock.set(new Date(T0.getTime() + 600_000));
      await renewDue(same);
      expect(asked).toBe(1);
      for (const id of [one, other]) await database.domains.delete(tenant, id);
    });

    it('is not asked of another CA than the one that issued', async () => {
      const id = await certified(90, { certId: 'aki.5', askAt: T0, directoryUrl: 'https://other.test/dir' });
      const asked = suggests(1, 2);
      await look();
      expect(asked()).toBe(0);
      await clock.set(day(61));
      await look();
      expect((await latest(id)).replaces).toBeNull();
      await database.domains.delete(tenant, id);
    });
  });

  it('is not ordered again by whoever read the row before its certificate was replaced', async () => {
    const id = await certified(90);
    await clock.set(day(61));
    const stale = await renewalOf(id);
    await look();
    await complete(await latest(id), 90);
    const again = database.orders.create(tenant, {
      domainId: id,
      keyType: 'ec-256',
      profile: null,
      phaseMs: DAY,
      requestId: null,
      renewal: { certificateId: stale.certificateId, neededBy: stale.notAfter, replaces: null },
    });
    await expect(again).rejects.toMatchObject({ code: 'order_superseded' });
    await database.renewals.note(stale, { lookAt: T0, renewAt: T0, news: [] });
    expect((await renewalOf(id)).renewAt && (await renewalOf(id)).renewAt).not.toEqual(T0);
    await database.domains.delete(tenant, id);
  });

  it('its back-off survives whoever was at the row when its order failed', async () => {
    const id = await certified(90);
    await clock.set(day(61));
    const before = await renewalOf(id);
    await look();
    await database.orders.fail(await claimed(await latest(id)), { code: 'acme_rejected', detail: 'no' });
    await database.renewals.note(before, { lookAt: day(61), renewAt: day(60), news: [] });
    expect(await renewalOf(id)).toMatchObject({ failures: 1, renewAt: null });
    await database.domains.delete(tenant, id);
  });

  it('follows a change of names, though whoever made it dies before the order is there', async () => {
    const id = await certified(90);
    const name = (await database.domains.get(tenant, id))?.name ?? '';
    await clock.set(day(2));
    await database.domains.update(tenant, id, { names: [name, `www.${name}`] });
    await look();
    expect((await latest(id)).names).toEqual([name, `www.${name}`]);
    await database.domains.delete(tenant, id);
  });

  it('of a certificate that an earlier release has stored begins when the day’s look finds it', async () => {
    const id = await certified(90);
    const certificate = await database.certificates.latest(tenant, id);
    const client = new Client({ connectionString: test.url });
    await client.connect();
    await client.query('DELETE FROM renewals');
    await client.end();
    if (!certificate) throw new Error('there is none');
    await database.renewals.adopt(certificate, planFor(certificate, { manual: false }));
    await clock.set(day(61));
    await look();
    expect(placed).toHaveLength(1);
    await database.domains.delete(tenant, id);
  });

  it('asks for no more orders than can be placed within hours, but for what is needed within a day', async () => {
    const ids = await Promise.all(Array.from({ length: 3 }, () => certified(90)));
    const urgent = await certified(61.5);
    await clock.set(day(61));
    const all = deps();
    const claimDue: typeof all.renewals.claimDue = async (...args) => ({ ...(await database.renewals.claimDue(...args)), inLine: 1_000 });
    await renewDue({ ...all, renewals: { ...database.renewals, claimDue } });
    expect(placed).toEqual([(await latest(urgent)).id]);
    await clock.set(day(61 + 1 / 24));
    await look();
    expect(placed).toHaveLength(4);
    for (const id of [...ids, urgent]) await database.domains.delete(tenant, id);
  });

  it('that nobody has to be told of is looked at once an hour at most while its order is under way, or the line is full', async () => {
    const [ordered, inLine] = [await certified(90), await certified(90)];
    await clock.set(day(61));
    await database.orders.create(tenant, { domainId: ordered, keyType: 'ec-256', profile: null, phaseMs: DAY, requestId: null, renewal: { certificateId: (await renewalOf(ordered)).certificateId, neededBy: day(90), replaces: null } });
    const all = deps();
    let read = 0;
    const get: typeof all.domains.get = async (...args) => ((read += 1), database.domains.get(...args));
    const claimDue: typeof all.renewals.claimDue = async (...args) => ({ ...(await database.renewals.claimDue(...args)), inLine: 1_000 });
    let looked = 0;
    for (let minutes = 0; minutes < 60; minutes += 5) {
      await clock.set(new Date(day(61).getTime() + minutes * 60_000));
      looked += await renewDue({ ...all, domains: { get }, renewals: { ...database.renewals, claimDue } });
    }
    expect([read, placed.length]).toEqual([0, 0]);
    expect(looked).toBeLessThanOrEqual(6); // each 20 min to an hour apart
    await clock.set(day(62.1));
    await renewDue({ ...all, domains: { get } });
    expect([read, placed]).toEqual([2, [(await latest(inLine)).id]]);
    for (const id of [ordered, inLine]) await database.domains.delete(tenant, id);
  });

  it('one that can’t be looked at keeps no other from its turn', async () => {
    const [one, other] = [await certified(90), await certified(90)];
    await clock.set(day(61));
    const all = deps();
    const get: typeof all.domains.get = async (tenantId, id) => (id === one ? Promise.reject(new TypeError('a bug')) : database.domains.get(tenantId, id));
    await expect(renewDue({ ...all, domains: { get } })).rejects.toThrow('a bug');
    expect(placed).toEqual([(await latest(other)).id]);
    expect(await renewalOf(one)).toMatchObject({ failures: 1, lastError: { code: 'internal_error' } }); // not at every pass again
    for (const id of [one, other]) await database.domains.delete(tenant, id);
  });
});
