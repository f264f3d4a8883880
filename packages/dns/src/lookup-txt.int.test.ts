import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type NameServers, startNameServers } from '@certwright/testing';
import fc from 'fast-check';
import { createTxtLookup, type TxtLookupOptions } from './lookup-txt';
import { DnsWireError, query } from './wire';

const RESOLVER = '127.0.0.1';
const PRIMARY = '127.0.0.11';
const SECONDARY = '127.0.0.12';
const ELSEWHERE = '127.0.0.13';
const NAME = '_acme-challenge.shop.customer.test';

describe('looking a TXT value up', () => {
  let dns: NameServers;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: [RESOLVER, PRIMARY, SECONDARY, ELSEWHERE] });
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

  it.each(['silent', 'wrong-id', 'garbage'] as const)('a server that is %s costs its own time only', async (how) => {
    dns.setTxt(NAME, ['v']);
    dns.misbehave(SECONDARY, how);
    const startedAt = performance.now();
    const evidence = await lookup(NAME, ['v']);
    expect(evidence.verdict).toBe('ready');
    expect(['timeout', 'malformed']).toContain(evidence.servers[1]?.state);
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

  it('never lets a resolver hear of the name: it would remember its absence', async () => {
    await lookup(NAME, ['v']);
    const asked = dns.queries.filter(({ name }) => name === NAME);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ recursive }) => recursive)).toEqual([]);
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
    expect(await lookup(NAME, ['v'], { timeoutMs: 500 })).toMatchObject({ verdict: 'no_answer' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('keeps to its time when the resolver is silent', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const startedAt = performance.now();
    const resolvers = [{ address: '127.0.0.1', port: silent.address().port }];
    expect(await lookup(NAME, ['v'], { timeoutMs: 700, resolvers })).toMatchObject({ verdict: 'no_zone' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    silent.close();
  });
});

it('whatever bytes come back, a query ends in a reply or a DnsWireError', async () => {
  let reply: (query: Buffer) => Buffer = (bytes) => bytes;
  const hostile = createSocket('udp4').bind(0, '127.0.0.1');
  hostile.on('message', (bytes, from) => hostile.send(reply(bytes), from.port, from.address));
  await once(hostile, 'listening');
  const server = { address: '127.0.0.1', port: hostile.address().port };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, keepHeader) => {
      reply = (bytes) => Buffer.concat([keepHeader ? echo(bytes) : bytes.subarray(0, 2), Buffer.from(noise)]);
      await query({ name: 'a.test', type: 'TXT' }, server, { timeoutMs: 30 }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(DnsWireError);
      });
    }),
    { numRuns: 200 },
  );
  hostile.close();
});

/** The query as a response that claims an answer. */
function echo(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[2] = (copy[2] ?? 0) | 0x84;
  copy.writeUInt16BE(3, 6);
  return copy;
}
