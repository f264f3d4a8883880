import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiReply, type RealDns, type Stack, startRealDns, startStack } from '@certwright/testing';

/** `DELEGATED_ORDERS=300` for the whole; here it must fit in a test run. */
const ORDERS = Number(process.env.DELEGATED_ORDERS ?? 12);
const ACME_ZONE = 'acme.platform.test';
const ZONE = 'customer.test';

interface Registered {
  id: string;
  names: string[];
  dns_records: { purpose: string; type: string; fqdn: string; host: string; value: string; state: string | null }[];
}

interface InFull extends Registered {
  status: string;
  renewal: { scheduled_at: string | null; manual: boolean | null; forecast: { is_ready: boolean; records: { fqdn: string; code: string }[] } | null };
}

/** Pebble validates through Unbound, which is delegated to our own name servers by Knot. */
describe('a domain whose challenge name is an alias of our zone', () => {
  let dns: RealDns;
  let stack: Stack;
  beforeAll(async () => {
    dns = await startRealDns();
    await dns.addZone(ZONE);
    await dns.addZone(ACME_ZONE, { servers: ['ours', 'ours2'] });
    stack = await startStack({ queue: 'redis', realDns: dns, acmeZone: ACME_ZONE, proxy: true });
    await Promise.all([stack.startNameServer(dns.addresses.ours), stack.startNameServer(dns.addresses.ours2)]);
  }, 90_000);
  afterAll(async () => {
    await stack.stop();
    await dns.stop();
  });

  const register = (domain_name: string, more: object): Promise<ApiReply<Registered>> =>
    stack.api.call<Registered>('POST', '/domains', { body: { domain_name, ...more } });
  const inFull = async (id: string): Promise<InFull> => (await stack.api.call<InFull>('GET', `/domains/${id}`)).body;
  const setAlias = async (records: Registered['dns_records']): Promise<void> =>
    dns.set(ZONE, records.filter(({ purpose }) => purpose === 'delegation').map(({ fqdn, value }) => ({ name: fqdn, type: 'CNAME', data: `${value}.` })));
  async function untilActive(id: string, timeoutMs = 15_000): Promise<void> {
    for (const giveUpAt = performance.now() + timeoutMs; ; await sleep(100)) {
      const domain = await inFull(id);
      if (domain.status === 'active') return;
      if (performance.now() > giveUpAt) throw new Error(`still not active: ${JSON.stringify(domain)}`);
    }
  }

  it('goes from POST /domains to active by one CNAME and nothing else, wildcard and all, and again', async () => {
    const { body } = await register(`shop.${ZONE}`, { names: [`*.shop.${ZONE}`], auto: true });
    const [record] = body.dns_records;
    expect(record).toMatchObject({ purpose: 'delegation', type: 'CNAME', fqdn: `_acme-challenge.shop.${ZONE}`, host: '_acme-challenge.shop' });
    expect(record?.value).toMatch(new RegExp(`^[a-z2-7]{32}\\.${ACME_ZONE}$`));
    await setAlias(body.dns_records);
    await untilActive(body.id);
    const domain = await inFull(body.id);
    expect(domain.renewal).toMatchObject({ manual: false, scheduled_at: expect.any(String) as string, forecast: { is_ready: true, records: [{ code: 'ready' }] } });
    expect(domain.dns_records).toMatchObject([{ purpose: 'delegation', state: 'ready' }]);
    expect((await stack.api.certificate(body.id)).body.names).toEqual([`shop.${ZONE}`, `*.shop.${ZONE}`]);
    const before = (await stack.api.certificate(body.id)).body.id;
    await stack.api.issue(body.id);
    expect((await stack.api.settled(body.id, 30_000)).status).toBe('active');
    expect((await stack.api.certificate(body.id)).body.id).not.toBe(before);
  }, 60_000);

  it('is renewed when the CA says so, by nobody’s doing, active all the while', async () => {
    const { body } = await register(`renewed.${ZONE}`, { auto: true });
    await setAlias(body.dns_records);
    await untilActive(body.id);
    const before = (await stack.api.certificate(body.id)).body;
    const hour = 3_600_000;
    const window = { start: new Date(Date.now() - 2 * hour), end: new Date(Date.now() - hour), explanationUrl: 'https://ca.test/incident' };
    await stack.ca.suggestRenewal(await stack.api.chain(body.id), window);
    // Hours later: the CA is asked again.
    await stack.query("UPDATE renewals SET issued_at = issued_at - interval '1 day', ask_at = now(), look_at = now() WHERE domain_id = $1", [body.id]);
    const statuses = new Set<string>();
    for (const giveUpAt = performance.now() + 40_000; (await stack.api.certificate(body.id)).body.id === before.id; await sleep(100)) {
      statuses.add((await inFull(body.id)).status);
      if (performance.now() > giveUpAt) throw new Error(`not renewed: ${JSON.stringify(await inFull(body.id))}`);
    }
    expect([...statuses]).toEqual(['active']);
    const [order] = await stack.query<{ replaces: string; renewal: boolean }>('SELECT replaces, renewal FROM orders WHERE domain_id = $1 ORDER BY created_at DESC', [body.id]);
    expect(order).toMatchObject({ renewal: true, replaces: expect.stringMatching(/^[\w-]+\.[\w-]+$/) as string });
    const { data } = (await stack.api.call<{ data: { kind: string; step?: string; explanation_url?: string }[] }>('GET', `/domains/${body.id}/events`)).body;
    expect(data.filter(({ kind }) => kind === 'renewal')).toMatchObject([{ step: 'moved', explanation_url: 'https://ca.test/incident' }]);
  }, 60_000);

  it('says what is wrong with it, and what to set', async () => {
    const { body } = await register(`wrong.${ZONE}`, { auto: true });
    const fqdn = `_acme-challenge.wrong.${ZONE}`;
    const check = async () => (await stack.api.call<Registered>('POST', `/domains/${body.id}/check`)).body.dns_records[0];
    expect(await check()).toMatchObject({ purpose: 'delegation', state: 'delegation_missing', fqdn, value: body.dns_records[0]?.value });
    await dns.set(ZONE, [{ name: fqdn, type: 'CNAME', data: `other.${ACME_ZONE}.` }]);
    expect(await check()).toMatchObject({ state: 'cname_wrong_target' });
    await dns.remove(ZONE, fqdn);
    await dns.set(ZONE, [{ name: `${fqdn}.${ZONE}`, type: 'CNAME', data: `${body.dns_records[0]?.value}.` }]);
    // Our name servers have heard of the label within a second.
    for (let count = 0; count < 20 && (await check())?.state === 'delegation_missing'; count += 1) await sleep(100);
    expect(await check()).toMatchObject({ state: 'name_doubled' });
    expect((await inFull(body.id)).status).toBe('pending');
  });

  it('is verified by it, where it is not to go on by itself', async () => {
    const { body } = await register(`manual.${ZONE}`, {});
    expect((await stack.api.verify(body.id)).status).toBe(400);
    await setAlias(body.dns_records);
    // Our name servers have heard of the label within a second.
    for (let count = 0; count < 20 && (await stack.api.verify(body.id)).status === 400; count += 1) await sleep(100);
    expect((await inFull(body.id)).status).toBe('verified');
  });

  it(`is so ${ORDERS} times of ${ORDERS}, apex and wildcard, with no challenge that failed`, async () => {
    const bodies = await Promise.all(
      Array.from({ length: ORDERS }, async (_, index) => (await register(`n${index}.${ZONE}`, { names: [`*.n${index}.${ZONE}`], auto: true })).body),
    );
    for (let from = 0; from < ORDERS; from += 50) await setAlias(bodies.slice(from, from + 50).flatMap((one) => one.dns_records));
    for (const { id } of bodies) await untilActive(id, 500_000);
    const orders = await stack.query<{ status: string; count: number }>(
      "SELECT o.status::text, count(*)::int FROM orders o JOIN domains d ON d.id = o.domain_id WHERE d.name ~ '^n[0-9]' GROUP BY 1",
    );
    expect(orders).toEqual([{ status: 'valid', count: ORDERS }]);
  }, 600_000);

  it('is answered for while one of our name servers is gone', async () => {
    const [, server] = stack.processes().filter(({ role }) => role === 'nameserver');
    await server?.kill();
    const { body } = await register(`half.${ZONE}`, { auto: true });
    await setAlias(body.dns_records);
    await untilActive(body.id);
  }, 60_000);
});
