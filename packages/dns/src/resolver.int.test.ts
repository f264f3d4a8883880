import { getServers, setServers } from 'node:dns';
import { type NameServers, startNameServers } from '@certwright/testing';
import { createTxtLookup } from './lookup-txt';

const RESOLVER = '127.0.0.1';
const SERVER = '127.0.0.23';
const FAILING = '127.0.0.24';
const NAME = '_acme-challenge.shop.customer.test';

describe('the resolvers of a lookup', () => {
  let dns: NameServers;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: [RESOLVER, SERVER, FAILING] });
    dns.addZone('customer.test', { servers: [SERVER] });
    dns.setTxt(NAME, ['v']);
  });
  afterEach(() => dns.close());

  const lookup = (addresses: string[]) =>
    createTxtLookup({
      resolvers: addresses.map((address) => ({ address, port: dns.port })),
      authoritativePort: dns.port,
      allowPrivate: true,
      timeoutMs: 3_000,
    }).lookup(NAME, ['v']);

  it.each(['servfail', 'refused'] as const)('one that answers %s is passed over for the next', async (how) => {
    dns.misbehave(FAILING, how);
    expect(await lookup([FAILING, RESOLVER])).toMatchObject({ verdict: 'ready' });
    expect(dns.queries.some(({ address }) => address === FAILING)).toBe(true);
  });

  it("are the system's where none are given", async () => {
    const system = getServers();
    setServers([`${RESOLVER}:${dns.port}`]);
    try {
      expect(await lookup([])).toMatchObject({ verdict: 'ready' });
    } finally {
      setServers(system);
    }
  });
});
