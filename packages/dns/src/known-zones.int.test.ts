import type { TxtLookup } from '@certwright/core';
import { type NameServers, startNameServers } from '@certwright/testing';
import { createTxtLookup } from './lookup-txt';

const RESOLVER = '127.0.0.1';
const PRIMARY = '127.0.0.41';
const SECONDARY = '127.0.0.42';
const ELSEWHERE = '127.0.0.43';

const NAME = '_acme-challenge.shop.customer.test';

describe('looking up names of zones that are known', () => {
  let dns: NameServers;
  let at: number;
  let txt: TxtLookup;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: [RESOLVER, PRIMARY, SECONDARY, ELSEWHERE] });
    dns.addZone('customer.test', { servers: [PRIMARY, SECONDARY] });
    at = 0;
    txt = createTxtLookup({
      resolvers: [{ address: RESOLVER, port: dns.port }],
      authoritativePort: dns.port,
      allowPrivate: true,
      timeoutMs: 10_000,
      now: () => at,
    });
  });
  afterEach(() => dns.close());

  const lookup = (name = NAME) => txt.lookup(name, ['v']);
  const toResolver = (): string[] => dns.queries.filter(({ recursive }) => recursive).map(({ type, name }) => `${type} ${name}`);

  it('two names of one zone ask for the zone once, and every server for each name every time', async () => {
    await lookup('_acme-challenge.a.customer.test');
    const before = toResolver().length;
    await lookup('_acme-challenge.b.customer.test');
    await lookup('_acme-challenge.b.customer.test');
    expect(toResolver()).toHaveLength(before);
    expect(dns.queries.filter(({ name }) => name === '_acme-challenge.b.customer.test')).toHaveLength(4);
  });

  it('never remembers what is in a zone', async () => {
    expect(await lookup()).toMatchObject({ verdict: 'absent' });
    dns.setTxt(NAME, ['v']);
    expect(await lookup()).toMatchObject({ verdict: 'ready' });
    dns.removeTxt(NAME);
    expect(await lookup()).toMatchObject({ verdict: 'absent' });
  });

  it.each([[[ELSEWHERE]], [[SECONDARY, ELSEWHERE]], [[PRIMARY, SECONDARY, ELSEWHERE]]])(
    'a child zone that appears on %j is noticed at once, and all its servers asked',
    async (servers) => {
      await lookup('_acme-challenge.customer.test');
      expect(await lookup()).toMatchObject({ verdict: 'absent', zone: 'customer.test' });
      dns.addZone('shop.customer.test', { servers });
      dns.setTxt(NAME, ['v']);
      for (const address of servers.slice(1)) dns.setTxt(NAME, [], { on: address });
      const evidence = await lookup();
      expect(evidence).toMatchObject({ verdict: servers.length > 1 ? 'partial' : 'ready', zone: 'shop.customer.test' });
      expect(evidence.servers.map(({ address }) => address)).toEqual(servers);
    },
  );

  it('a child zone whose servers are all silent does not leave the word to its parent', async () => {
    await lookup('_acme-challenge.customer.test');
    dns.addZone('shop.customer.test', { servers: ['127.0.0.99'] });
    expect(await lookup()).toMatchObject({ verdict: 'no_answer', zone: 'shop.customer.test' });
  });

  it('the delegation of the challenge name itself is noticed', async () => {
    await lookup();
    dns.addZone(NAME, { servers: [ELSEWHERE] });
    dns.setTxt(NAME, ['v']);
    expect(await lookup()).toMatchObject({ verdict: 'ready', zone: NAME, servers: [{ address: ELSEWHERE }] });
  });

  it('an alias into a known zone costs no resolver anything, polled again', async () => {
    dns.addZone('acme.platform.test', { servers: [ELSEWHERE] });
    dns.setCname(NAME, 'label.acme.platform.test');
    await lookup('_acme-challenge.customer.test');
    await lookup();
    const before = toResolver().length;
    expect(await lookup()).toMatchObject({ verdict: 'absent', zone: 'acme.platform.test' });
    expect(toResolver()).toHaveLength(before);
  });

  it('a name that has the value is looked up in its very own zone before it is ready', async () => {
    await lookup('_acme-challenge.customer.test');
    dns.setTxt(NAME, ['v']);
    expect(await lookup()).toMatchObject({ verdict: 'ready' });
    expect(toResolver()).toContain('SOA shop.customer.test');
  });

  it('moved name servers are noticed when the TTL is over', async () => {
    await lookup();
    dns.addZone('customer.test', { servers: [ELSEWHERE] });
    at = 5_000;
    const { servers } = await lookup();
    expect(servers.map(({ address }) => address)).toEqual([ELSEWHERE]);
  });

  it('a zone that was not found is looked for again', async () => {
    expect(await lookup('_acme-challenge.new.example')).toMatchObject({ verdict: 'no_zone' });
    dns.addZone('new.example', { servers: [ELSEWHERE] });
    expect(await lookup('_acme-challenge.new.example')).toMatchObject({ verdict: 'absent', zone: 'new.example' });
  });

  it('a lookup that is led through zones with very many servers ends, whoever owns them', async () => {
    const many = (n: number): string[] => Array.from({ length: 16 }, (_, at) => `127.0.${n + 1}.${at + 1}`);
    dns.setCname(NAME, 'a.zone0.test');
    for (let n = 0; n < 8; n += 1) {
      dns.addZone(`zone${n}.test`, { servers: [ELSEWHERE, ...many(n)].slice(0, 16) });
      dns.setCname(`a.zone${n}.test`, `a.zone${n + 1}.test`);
    }
    const evidence = await lookup();
    expect(evidence).toMatchObject({ verdict: 'no_answer', zone: null, servers: [] });
    expect(evidence.detail).toContain('more than 100 queries');
    expect(dns.queries.length).toBeLessThanOrEqual(100);
  });
});
