import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type NameServers, startNameServers } from '@certwright/testing';
import * as packet from 'dns-packet';
import fc from 'fast-check';
import { createTxtLookup, type TxtLookupOptions } from './lookup-txt';

const RESOLVER = '127.0.0.1';
const PRIMARY = '127.0.0.11';
const SECONDARY = '127.0.0.12';
const ELSEWHERE = '127.0.0.13';
const SILENT = '127.0.0.14';
/** What a busy machine may add to a bound. */
const SLACK_MS = 300;

const NAME = '_acme-challenge.shop.customer.test';

describe('looking a TXT value up', () => {
  let dns: NameServers;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: [RESOLVER, PRIMARY, SECONDARY, ELSEWHERE, SILENT] });
    dns.addZone('customer.test', { servers: [PRIMARY, SECONDARY] });
    dns.addZone('acme.platform.test', { servers: [ELSEWHERE] });
  });
  afterEach(() => dns.close());

  const lookup = (name: string, expected: string[], options: Partial<TxtLookupOptions> = {}) =>
    createTxtLookup({
      resolvers: [{ address: RESOLVER, port: dns.port }],
      authoritativePort: dns.port,
      allowPrivate: true,
      timeoutMs: 10_000,
      ...options,
    }).lookup(name, expected);

  const states = async (expected = ['v']): Promise<string[]> =>
    (await lookup(NAME, expected)).servers.map(({ state }) => state);

  it('is ready when every server has the value', async () => {
    dns.setTxt(NAME, ['other', 'v']);
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'ready',
      zone: 'customer.test',
      via: [],
      servers: [
        { server: 'ns1.customer.test', address: PRIMARY, state: 'match', values: ['other', 'v'] },
        { server: 'ns2.customer.test', address: SECONDARY, state: 'match', values: ['other', 'v'] },
      ],
    });
  });

  it('wants every expected value', async () => {
    dns.setTxt(NAME, ['v']);
    expect(await lookup(NAME, ['v', 'w'])).toMatchObject({ verdict: 'absent' });
  });

  it('is partial while a secondary is behind', async () => {
    dns.setTxt(NAME, ['v']);
    dns.setTxt(NAME, ['old'], { on: SECONDARY });
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'partial',
      servers: [{ state: 'match' }, { state: 'mismatch', values: ['old'] }],
    });
  });

  it('tells a name that does not exist from one without TXT', async () => {
    expect(await states()).toEqual(['nxdomain', 'nxdomain']);
    dns.setTxt(`below.${NAME}`, ['x']);
    expect(await states()).toEqual(['nodata', 'nodata']);
  });

  it.each([
    ['servfail', 'servfail'],
    ['refused', 'refused'],
    ['lame', 'lame'],
  ] as const)('a server that is %s has no say, and is named', async (how, state) => {
    dns.setTxt(NAME, ['v']);
    dns.misbehave(SECONDARY, how);
    const evidence = await lookup(NAME, ['v']);
    expect(evidence).toMatchObject({ verdict: 'ready', servers: [{ state: 'match' }, { state }] });
    expect(evidence.detail).toContain('ns2.customer.test');
  });

  it.each([
    ['silent', 'timeout'],
    ['wrong-id', 'malformed'],
    ['garbage', 'malformed'],
  ] as const)('a server that is %s costs its own time only', async (how, state) => {
    dns.setTxt(NAME, ['v']);
    dns.misbehave(SECONDARY, how);
    const startedAt = performance.now();
    const evidence = await lookup(NAME, ['v']);
    expect(evidence.verdict).toBe('ready');
    expect(evidence.servers[1]?.state).toBe(state);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('a server on which nothing listens is unreachable', async () => {
    dns.addZone('gone.test', { servers: ['127.0.0.99'] });
    expect(await lookup('_acme-challenge.gone.test', ['v'])).toMatchObject({
      verdict: 'no_answer',
      servers: [{ state: 'unreachable' }],
    });
  });

  it('asks over TCP when the answer is truncated', async () => {
    dns.setTxt(NAME, ['v']);
    dns.misbehave(PRIMARY, 'truncate');
    expect(await states()).toEqual(['match', 'match']);
  });

  it('joins the strings of a long value', async () => {
    const long = 'x'.repeat(600);
    dns.setTxt(NAME, [long]);
    expect(await states([long])).toEqual(['match', 'match']);
  });

  it('follows an alias into another zone, and asks its servers', async () => {
    dns.setCname(NAME, 'label.acme.platform.test');
    dns.setTxt('label.acme.platform.test', ['v']);
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'ready',
      via: ['label.acme.platform.test'],
      zone: 'acme.platform.test',
      servers: [{ address: ELSEWHERE, state: 'match' }],
    });
  });

  it('is not ready while one server lacks the alias that the others have: the CA may ask just that one', async () => {
    dns.setCname(NAME, 'label.acme.platform.test');
    dns.setTxt('label.acme.platform.test', ['v']);
    dns.setTxt(NAME, [], { on: SECONDARY });
    const evidence = await lookup(NAME, ['v']);
    expect(evidence).toMatchObject({
      verdict: 'partial',
      zone: 'acme.platform.test',
      servers: [
        { address: SECONDARY, state: 'nxdomain' },
        { address: ELSEWHERE, state: 'match' },
      ],
    });
    expect(evidence.detail).toContain(`ns2.customer.test (${SECONDARY}) answers that the name does not exist`);
  });

  it('follows an alias to the apex of a zone right below a top-level domain', async () => {
    dns.addZone('test', { servers: [SILENT] });
    dns.addZone('platform.test', { servers: [ELSEWHERE] });
    dns.setCname(NAME, 'platform.test');
    dns.setTxt('platform.test', ['v']);
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'ready',
      via: ['platform.test'],
      zone: 'platform.test',
      servers: [{ address: ELSEWHERE, state: 'match' }],
    });
    const toResolver = dns.queries.filter(({ name, recursive }) => name === 'platform.test' && recursive);
    expect(toResolver.filter(({ type }) => type === 'TXT')).toEqual([]);
  });

  it('an alias to a top-level domain, or to the root, is no zone of anybody', async () => {
    dns.addZone('test', { servers: [SILENT] });
    dns.setCname(NAME, 'test');
    expect(await lookup(NAME, ['v'])).toMatchObject({ verdict: 'no_zone', via: ['test'] });
  });

  it('gives up on aliases after eight', async () => {
    dns.setCname(NAME, 'a0.acme.platform.test');
    for (let n = 0; n < 12; n += 1) dns.setCname(`a${n}.acme.platform.test`, `a${n + 1}.acme.platform.test`);
    expect((await lookup(NAME, ['v'])).verdict).toBe('cname_loop');
    expect(dns.queries.some(({ name }) => name === 'a7.acme.platform.test')).toBe(true);
    expect(dns.queries.some(({ name }) => name === 'a8.acme.platform.test')).toBe(false);
  });

  it('says so when the aliases never end', async () => {
    dns.setCname(NAME, 'a.acme.platform.test');
    dns.setCname('a.acme.platform.test', NAME);
    expect(await lookup(NAME, ['v'])).toMatchObject({ verdict: 'cname_loop' });
  });

  it('follows the delegation of the challenge name itself', async () => {
    dns.addZone(NAME, { servers: [ELSEWHERE] });
    dns.setTxt(NAME, ['v']);
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'ready',
      zone: NAME,
      servers: [{ address: ELSEWHERE, state: 'match' }],
    });
  });

  it('is not ready while one server does not know of the delegation yet', async () => {
    dns.addZone(NAME, { servers: [ELSEWHERE] });
    dns.setTxt(NAME, ['v']);
    dns.setTxt(NAME, [], { on: SECONDARY });
    expect(await lookup(NAME, ['v'])).toMatchObject({
      verdict: 'partial',
      zone: NAME,
      servers: [
        { server: 'ns2.customer.test', address: SECONDARY, state: 'nxdomain' },
        { address: ELSEWHERE, state: 'match' },
      ],
    });
  });

  it('a server of both the zone and the delegated one is counted once', async () => {
    dns.addZone(NAME, { servers: [SECONDARY, ELSEWHERE] });
    dns.setTxt(NAME, ['v']);
    const { verdict, servers } = await lookup(NAME, ['v']);
    expect(verdict).toBe('ready');
    expect(servers.map(({ address }) => address)).toEqual([SECONDARY, ELSEWHERE]);
  });

  it('never lets a resolver hear of the name: it would remember its absence', async () => {
    await lookup(NAME, ['v']);
    const asked = dns.queries.filter(({ name }) => name === NAME);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ recursive, address }) => recursive || address === RESOLVER)).toEqual([]);
  });

  it('never lets a resolver hear of a delegated name or of the alias\'s target either', async () => {
    dns.addZone('_acme-challenge.deep.customer.test', { servers: [ELSEWHERE] });
    dns.setCname(NAME, 'label.acme.platform.test');
    await lookup('_acme-challenge.deep.customer.test', ['v']);
    await lookup(NAME, ['v']);
    const names = ['_acme-challenge.deep.customer.test', NAME, 'label.acme.platform.test'];
    const asked = dns.queries.filter(({ name }) => names.includes(name));
    expect(new Set(asked.map(({ name }) => name)).size).toBe(3);
    expect(asked.filter(({ recursive, address }) => recursive || address === RESOLVER)).toEqual([]);
  });

  it('never lets a resolver hear of the name when its alias points below itself: it would follow, and remember', async () => {
    dns.setCname(NAME, `label.${NAME}`);
    expect(await lookup(NAME, ['v'])).toMatchObject({ verdict: 'absent', via: [`label.${NAME}`], zone: 'customer.test' });
    const asked = dns.queries.filter(({ name }) => name.endsWith(NAME));
    expect(asked).toHaveLength(4);
    expect(asked.filter(({ recursive, address }) => recursive || address === RESOLVER)).toEqual([]);
  });

  it('says so when there is no zone', async () => {
    expect(await lookup('_acme-challenge.shop.nowhere.test', ['v'])).toMatchObject({ verdict: 'no_zone', zone: null });
  });

  it('sends nothing to an address that is not public', async () => {
    dns.setTxt(NAME, ['v']);
    expect(await lookup(NAME, ['v'], { allowPrivate: false })).toMatchObject({
      verdict: 'no_answer',
      servers: [{ state: 'not_public' }, { state: 'not_public' }],
    });
    expect(dns.queries.filter(({ recursive }) => !recursive)).toEqual([]);
  });

  it('keeps to its time when nobody answers at all', async () => {
    dns.misbehave(PRIMARY, 'silent');
    dns.misbehave(SECONDARY, 'silent');
    const startedAt = performance.now();
    expect(await lookup(NAME, ['v'], { timeoutMs: 500 })).toMatchObject({
      verdict: 'no_answer',
      servers: [{ state: 'timeout' }, { state: 'timeout' }],
    });
    expect(performance.now() - startedAt).toBeLessThan(600 + SLACK_MS);
  });

  it('of a server known to be silent takes half a second, but calls nothing ready that only its impatience makes so', async () => {
    const { lookup: look } = createTxtLookup({ resolvers: [{ address: RESOLVER, port: dns.port }], authoritativePort: dns.port, allowPrivate: true, timeoutMs: 10_000 });
    dns.misbehave(SECONDARY, 'silent');
    for (let times = 0; times < 3; times += 1) await look(NAME, ['v']);
    const startedAt = performance.now();
    expect(await look(NAME, ['v'])).toMatchObject({ servers: [{ state: 'nxdomain' }, { state: 'timeout' }] });
    expect(performance.now() - startedAt).toBeLessThan(500 + SLACK_MS);
    dns.setTxt(NAME, ['v']);
    dns.setTxt(NAME, ['old'], { on: SECONDARY });
    dns.misbehave(SECONDARY, 'late');
    expect(await look(NAME, ['v'])).toMatchObject({ verdict: 'partial', servers: [{ state: 'match' }, { state: 'mismatch' }] });
  }, 20_000);

  describe('with a resolver that is silent', () => {
    beforeEach(() => dns.misbehave(SILENT, 'silent'));

    it('keeps to its time, and does not blame the domain', async () => {
      const startedAt = performance.now();
      const resolvers = [{ address: SILENT, port: dns.port }];
      const evidence = await lookup(NAME, ['v'], { timeoutMs: 700, resolvers });
      expect(performance.now() - startedAt).toBeLessThan(800 + SLACK_MS);
      expect(evidence).toMatchObject({ verdict: 'no_zone', detail: expect.stringContaining('no DNS resolver') });
    });

    it('asks the next one, and pays for the silent one only once', async () => {
      dns.setTxt(NAME, ['v']);
      const startedAt = performance.now();
      const resolvers = [SILENT, RESOLVER].map((address) => ({ address, port: dns.port }));
      expect(await lookup(NAME, ['v'], { resolvers })).toMatchObject({ verdict: 'ready' });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    });
  });

  it('asks nobody twice when the aliases run in a circle', async () => {
    dns.setCname(NAME, 'a.acme.platform.test');
    dns.setCname('a.acme.platform.test', NAME);
    await lookup(NAME, ['v']);
    expect(dns.queries.filter(({ name, address }) => name === NAME && address === PRIMARY)).toHaveLength(1);
  });

  it('asks nobody twice either when the name itself is not part of the circle', async () => {
    dns.setCname(NAME, 'a.acme.platform.test');
    dns.setCname('a.acme.platform.test', 'b.acme.platform.test');
    dns.setCname('b.acme.platform.test', 'a.acme.platform.test');
    expect(await lookup(NAME, ['v'])).toMatchObject({ verdict: 'cname_loop' });
    expect(dns.queries.filter(({ name }) => name === 'a.acme.platform.test')).toHaveLength(1);
  });

  it('a name that no zone below a top-level domain holds lies in nobody\'s zone', async () => {
    dns.addZone('test', { servers: [SILENT] });
    dns.setCname(NAME, 'unregistered.test');
    expect(await lookup(NAME, ['v'])).toMatchObject({ verdict: 'no_zone', via: ['unregistered.test'], servers: [] });
  });

  it('is not led up by a server that refers to the zone itself', async () => {
    dns.misbehave(PRIMARY, 'self-referral');
    dns.misbehave(SECONDARY, 'self-referral');
    expect(await states()).toEqual(['lame', 'lame']);
    expect(dns.queries.filter(({ name }) => name === NAME)).toHaveLength(2);
  });

  it('names a server whose host name has no address, and goes by the others', async () => {
    dns.addZone('half.test', { servers: [PRIMARY, ''] });
    dns.setTxt('_acme-challenge.half.test', ['v']);
    const evidence = await lookup('_acme-challenge.half.test', ['v']);
    expect(evidence).toMatchObject({
      verdict: 'ready',
      servers: [{ state: 'match' }, { server: 'ns2.half.test', address: '', state: 'unreachable' }],
    });
    expect(evidence.detail).toContain('ns2.half.test has no address');
  });

  it.each(['255.255.255.255', 'fe80::1', '0.0.0.0', '127.0.0.99'])(
    'a server at %s, to which nothing can be sent, ends in an answer and not in a crash',
    async (address) => {
      dns.addZone('odd.test', { servers: [address] });
      const { servers } = await lookup('_acme-challenge.odd.test', ['v'], { timeoutMs: 1_000 });
      expect(servers).toHaveLength(1);
      expect(['unreachable', 'timeout', 'refused']).toContain(servers[0]?.state);
    },
  );

  it('bounds the values it keeps', async () => {
    dns.setTxt(NAME, [...Array.from({ length: 14 }, (_, n) => `${n}`), 'x'.repeat(400), 'v'].reverse());
    const { servers } = await lookup(NAME, ['v']);
    expect(servers[0]?.state).toBe('match');
    expect(servers[0]?.values).toHaveLength(10);
    expect(Math.max(...(servers[0]?.values ?? []).map(({ length }) => length))).toBe(255);
  });

  it('whatever an authoritative server sends, a lookup ends in evidence that can be stored', async () => {
    dns.addZone('hostile.test', { servers: ['127.0.0.15'] });
    const name = '_acme-challenge.hostile.test';
    const hostile = createSocket('udp4').bind(dns.port, '127.0.0.15');
    await once(hostile, 'listening');
    let spoil: (reply: Buffer) => Buffer = (reply) => reply;
    hostile.on('message', (bytes, from) => {
      const { id = 0, questions = [] } = packet.decode(bytes);
      const [question] = questions;
      const reply = packet.encode({
        type: 'response',
        id,
        flags: packet.AUTHORITATIVE_ANSWER,
        questions,
        answers: [
          { type: 'TXT', name: question?.name ?? '', ttl: 1, data: ['value', 'more'] },
          { type: 'CNAME', name: question?.name ?? '', ttl: 1, data: NAME },
        ],
        authorities: [{ type: 'NS', name, ttl: 1, data: 'ns1.customer.test' }],
      });
      // Id and question stay, so that what is spoilt is read.
      const keep = 12 + name.length + 6;
      const parts = [reply.subarray(0, 2), spoil(reply.subarray(2, 12)), reply.subarray(12, keep), spoil(reply.subarray(keep))];
      hostile.send(Buffer.concat(parts), from.port, from.address);
    });
    const changes = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changes, async (bytes) => {
        spoil = (part) => {
          const spoilt = Buffer.from(part);
          for (const [at, byte] of bytes) if (at < spoilt.length) spoilt[at] = byte;
          return spoilt;
        };
        const startedAt = performance.now();
        const evidence = await lookup(name, ['v'], { timeoutMs: 150 });
        expect(performance.now() - startedAt).toBeLessThan(250 + SLACK_MS);
        expect(evidence.fqdn).toBe(name);
        expect(JSON.stringify(evidence)).not.toMatch(/\\u0000|\\ud[89a-f]/);
      }),
      { numRuns: 100 },
    );
    const closed = once(hostile, 'close');
    hostile.close();
    await closed;
  });
});
