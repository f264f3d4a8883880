import { Resolver } from 'node:dns/promises';
import { type NameServers, startNameServers } from './name-servers';

describe('the name servers of tests and of the demo', () => {
  let dns: NameServers;
  let resolver: Resolver;

  beforeEach(async () => {
    dns = await startNameServers({ addresses: ['127.0.0.1', '127.0.0.11'] });
    resolver = new Resolver({ timeout: 1_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${dns.port}`]);
    dns.addZone('customer.test');
    dns.addZone('acme.platform.test', { servers: ['127.0.0.11'] });
  });
  afterEach(() => dns.close());

  it('resolve TXT through an alias into another zone, as a CA asks', async () => {
    dns.setCname('_acme-challenge.customer.test', 'label.acme.platform.test');
    dns.setTxt('label.acme.platform.test', ['v']);
    expect(await resolver.resolveTxt('_acme-challenge.customer.test')).toEqual([['v']]);
  });

  it('say what does not exist, and what has no such record', async () => {
    dns.setTxt('a.customer.test', ['v']);
    await expect(resolver.resolveTxt('b.customer.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveTxt('nowhere.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveCaa('a.customer.test')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  it('send more than a UDP packet holds over TCP', async () => {
    const values = Array.from({ length: 20 }, (_, n) => `${n}-${'x'.repeat(200)}`);
    dns.setTxt('big.customer.test', values);
    expect(await resolver.resolveTxt('big.customer.test')).toHaveLength(20);
  });

  it('resolve at the first address only', async () => {
    const other = new Resolver({ timeout: 1_000, tries: 1 });
    other.setServers([`127.0.0.11:${dns.port}`]);
    await expect(other.resolveTxt('nowhere.test')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it('remove what was set', async () => {
    dns.setTxt('a.customer.test', ['v']);
    dns.removeTxt('a.customer.test');
    await expect(resolver.resolveTxt('a.customer.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('close at once, with a client still connected, and leave the port free', async () => {
    const { connect } = await import('node:net');
    const socket = connect(dns.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const startedAt = performance.now();
    await dns.close();
    expect(performance.now() - startedAt).toBeLessThan(500);
    dns = await startNameServers({ port: dns.port, addresses: ['127.0.0.1'] });
    socket.destroy();
  });

  it('leave nothing behind when one address is taken', async () => {
    const blocker = await startNameServers({ addresses: ['127.0.0.12'] });
    const { port } = blocker;
    await expect(startNameServers({ port, addresses: ['127.0.0.13', '127.0.0.12'] })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const again = await startNameServers({ port, addresses: ['127.0.0.13'] });
    await Promise.all([again.close(), blocker.close()]);
  });
});
