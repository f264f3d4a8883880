import type { Answer } from 'dns-packet';
import type { Resolver } from './resolver';
import type { DnsReply } from './message';
import { addressesOf, type NameServer, serversAt as serversOf } from './zone-cut';
import { createZones } from './zones';

type Replies = Record<string, { rcode?: string; answers?: Answer[]; authorities?: Answer[] }>;

/** Answers what it is told to (`TYPE name`), and nothing else: as if SERVFAIL. */
function resolverWith(replies: Replies): Pick<Resolver, 'ask'> & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async ask({ name, type }) {
      asked.push(`${type} ${name}`);
      const reply = replies[`${type} ${name}`];
      return reply ? ({ rcode: 'NOERROR', ...reply } as DnsReply) : null;
    },
  };
}

const soa = (name: string): Answer => ({ type: 'SOA', name, data: { mname: 'ns.test', rname: 'h.test' } });
const ns = (name: string, data: string): Answer => ({ type: 'NS', name, data });
const a = (name: string, data: string): Answer => ({ type: 'A', name, data });

const ZONE: Replies = {
  'NS customer.test': { answers: [ns('customer.test', 'NS1.customer.test.')] },
  'A ns1.customer.test': { answers: [a('ns1.customer.test', '192.0.2.1')] },
};
const FOUND = { apex: 'customer.test', servers: [{ server: 'ns1.customer.test', address: '192.0.2.1' }] };

async function zoneOf(name: string, resolver: Pick<Resolver, 'ask'>): Promise<{ apex: string; servers: NameServer[] } | null> {
  const zones = createZones({ resolvers: () => resolver, timeoutMs: 1_000, now: () => 0 });
  const { zone } = await zones.nearest(name, () => undefined);
  return zone && { apex: zone.apex, servers: await zones.serversAt(zone.hosts, () => undefined) };
}

const serversAt = (hosts: string[], resolver: Pick<Resolver, 'ask'>): Promise<NameServer[]> =>
  serversOf(hosts, async (host) => (await addressesOf(host, resolver)).value);

it.each<[string, Replies]>([
  ['as the answer', { 'SOA customer.test': { answers: [soa('customer.test')] } }],
  ['as the authority for a name that is absent', { 'SOA a.b.customer.test': { rcode: 'NXDOMAIN', authorities: [soa('Customer.test')] } }],
  ['above a name that the resolver fails at', { 'SOA b.customer.test': { authorities: [soa('customer.test')] } }],
])('the zone is found by its SOA %s', async (_where, replies) => {
  expect(await zoneOf('a.b.customer.test', resolverWith({ ...ZONE, ...replies }))).toEqual(FOUND);
});

it('a name that a public suffix of two labels says does not exist is registered by nobody', async () => {
  const resolver = resolverWith({ 'SOA nobody.co.uk': { rcode: 'NXDOMAIN', authorities: [soa('co.uk')] } });
  expect(await zoneOf('nobody.co.uk', resolver)).toBeNull();
});

it('what no resolver can tell is told from what is not there', async () => {
  const found = { 'SOA customer.test': { answers: [soa('customer.test')] } };
  const zones = (replies: Replies) => createZones({ resolvers: () => resolverWith(replies), timeoutMs: 1_000, now: () => 0 });
  const nearest = (replies: Replies) => zones(replies).nearest('customer.test', () => undefined);
  expect(await nearest(found)).toEqual({ zone: null, answered: false });
  expect(await nearest({ ...found, 'NS customer.test': { answers: [] } })).toMatchObject({ zone: { hosts: [] }, answered: true });
  const servers = (replies: Replies) => serversAt(['ns1.customer.test'], resolverWith(replies));
  expect(await servers({})).toEqual([{ server: 'ns1.customer.test', address: '', untold: true }]);
  expect(await servers({ 'A ns1.customer.test': {}, 'AAAA ns1.customer.test': {} })).toEqual([{ server: 'ns1.customer.test', address: '' }]);
});

it('hosts at one address are one server', async () => {
  const both = { 'A ns1.test': { answers: [a('ns1.test', '192.0.2.1')] }, 'A ns2.test': { answers: [a('ns2.test', '192.0.2.1')] } };
  expect(await serversAt(['ns1.test', 'ns2.test'], resolverWith(both))).toEqual([{ server: 'ns1.test', address: '192.0.2.1' }]);
});

it('the SOA of another zone, where the name is an alias, is not taken for its own', async () => {
  const resolver = resolverWith({
    ...ZONE,
    'SOA www.customer.test': { authorities: [soa('cdn.test')] },
    'SOA customer.test': { answers: [soa('customer.test')] },
  });
  expect(await zoneOf('www.customer.test', resolver)).toEqual(FOUND);
});

it.each(['test', '.'])('a name that the zone "%s" says does not exist lies in nobody\'s zone, and no more is asked', async (apex) => {
  const resolver = resolverWith({ 'SOA a.gone.test': { rcode: 'NXDOMAIN', authorities: [soa(apex)] } });
  expect(await zoneOf('a.gone.test', resolver)).toBeNull();
  expect(resolver.asked).toEqual(['SOA a.gone.test']);
});

it('climbing ends at the top', async () => {
  const resolver = resolverWith({});
  expect(await zoneOf('a.b.test', resolver)).toBeNull();
  expect(resolver.asked).toEqual(['SOA a.b.test', 'SOA b.test', 'SOA test']);
});

it('of too many addresses every host keeps one before any keeps two', async () => {
  const hosts = Array.from({ length: 12 }, (_, n) => `ns${n}.test`);
  const replies = Object.fromEntries(
    hosts.map((host, n) => [`A ${host}`, { answers: [a(host, `192.0.2.${n}`), a(host, `198.51.100.${n}`)] }]),
  );
  const servers = await serversAt(hosts, resolverWith(replies));
  expect(servers).toHaveLength(16);
  expect(new Set(servers.map(({ server }) => server)).size).toBe(12);
});

it('a zone with too many name servers has no more than 16 looked up', async () => {
  const resolver = resolverWith({});
  await serversAt(Array.from({ length: 500 }, (_, n) => `ns${n}.test`), resolver);
  expect(resolver.asked).toHaveLength(32);
});

it.each([
  ['a..b\u0000', 'a..b\uFFFD'],
  ['', '.'],
])('a name server whose name cannot be asked for (%j) is kept without an address, and not asked for', async (host, shown) => {
  const resolver = resolverWith({});
  expect(await serversAt([host], resolver)).toEqual([{ server: shown, address: '' }]);
  expect(resolver.asked).toEqual([]);
});
