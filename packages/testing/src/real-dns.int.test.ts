import type { Answer } from 'dns-packet';
import type { DnsReply } from '../../dns/src/message';
import { query, type Question } from '../../dns/src/wire';
import { runDnsProgram } from './dns-program';
import { findDnsProgram } from './find-tool';
import { type DnsRole, type RealDns, startRealDns } from './real-dns';

describe('real name servers', () => {
  let dns: RealDns;
  beforeAll(async () => {
    dns = await startRealDns({ allowSnoop: true });
    await dns.addZone('customer.test');
    await dns.addZone('platform.test', { servers: ['primary'] });
    await dns.addZone('acme.platform.test', { servers: ['secondary'], signed: true });
  });
  afterAll(() => dns.stop());

  const resolve = (name: string, type: Question['type'], checkingDisabled = false): Promise<DnsReply> =>
    query({ name, type }, dns.resolver, { timeoutMs: 5_000, recursionDesired: true, checkingDisabled });
  const ask = (role: DnsRole, name: string, type: Question['type']): Promise<DnsReply> =>
    query({ name, type }, { address: dns.addresses[role], port: dns.port }, { timeoutMs: 2_000 });
  const txt = ({ answers = [] }: DnsReply): string[] =>
    answers.flatMap((one: Answer) => (one.type === 'TXT' ? [one.data].flat().map(String) : []));
  /** Unbound says whether it validated only to who wants to know, which our own client doesn't. */
  const isValidated = async (name: string): Promise<boolean> => {
    const { address, port } = dns.resolver;
    const said = await runDnsProgram(findDnsProgram('knot', 'kdig'), [`@${address}`, '-p', String(port), '+adflag', name, 'TXT']);
    return /;; Flags: [a-z ]*\bad\b/.test(said);
  };

  it('are resolved through the recursor, and answer themselves with authority', async () => {
    await dns.set('customer.test', [{ name: '_acme-challenge.customer.test', type: 'TXT', data: '"v"' }]);
    expect(txt(await resolve('_acme-challenge.customer.test', 'TXT'))).toEqual(['v']);
    for (const role of ['primary', 'secondary'] as const) {
      const reply = await ask(role, '_acme-challenge.customer.test', 'TXT');
      expect(reply.flag_aa).toBe(true);
      expect(txt(reply)).toEqual(['v']);
    }
    expect((await resolve('absent.customer.test', 'TXT')).rcode).toBe('NXDOMAIN');
    expect((await resolve('example.com', 'A')).rcode).toBe('NXDOMAIN');
  });

  it('are delegated to with addresses from the parent', async () => {
    const { flag_aa, answers, authorities, additionals } = await ask('parent', 'www.customer.test', 'A');
    expect({ flag_aa, answers }).toEqual({ flag_aa: false, answers: [] });
    expect(authorities).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'NS', data: 'ns1.customer.test' })]));
    expect(additionals).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'ns2.customer.test', data: '127.0.0.12' })]));
  });

  it('fall behind while the secondary is frozen, and catch up', async () => {
    const name = 'stale.customer.test';
    const put = (value: string): Promise<void> => dns.set('customer.test', [{ name, type: 'TXT', data: `"${value}"` }]);
    await put('old');
    dns.freezeSecondary();
    await put('new');
    expect(txt(await ask('primary', name, 'TXT'))).toEqual(['new']);
    expect(txt(await ask('secondary', name, 'TXT'))).toEqual(['old']);
    expect(await dns.serial('customer.test', 'primary')).toBeGreaterThan(await dns.serial('customer.test', 'secondary'));
    await dns.thawSecondary();
    expect(txt(await ask('secondary', name, 'TXT'))).toEqual(['new']);
    expect(await dns.serial('customer.test', 'primary')).toBe(await dns.serial('customer.test', 'secondary'));
  });

  it('have what only one of them was given, until the next change', async () => {
    const name = 'split.customer.test';
    await dns.set('customer.test', [{ name, type: 'TXT', data: '"both"' }]);
    await dns.set('customer.test', [{ name, type: 'TXT', data: '"second"' }], { on: 'secondary' });
    expect(txt(await ask('primary', name, 'TXT'))).toEqual(['both']);
    expect(txt(await ask('secondary', name, 'TXT'))).toEqual(['second']);
    await dns.set('customer.test', [{ name, type: 'TXT', data: '"first"' }], { on: 'primary' });
    expect(txt(await ask('primary', name, 'TXT'))).toEqual(['first']);
    expect(txt(await ask('secondary', name, 'TXT'))).toEqual(['second']);
    await dns.remove('customer.test', name);
    expect((await ask('secondary', name, 'TXT')).rcode).toBe('NXDOMAIN');
  });

  it('refuse what they are not authoritative for, and what only those have does not resolve', async () => {
    await dns.addZone('lame.test', { servers: ['lame'] });
    expect((await ask('lame', 'www.lame.test', 'A')).rcode).toBe('REFUSED');
    expect((await resolve('www.lame.test', 'A')).rcode).toBe('SERVFAIL');
    await dns.addZone('half-lame.test', { servers: ['lame', 'primary'] });
    await dns.set('half-lame.test', [{ name: 'half-lame.test', type: 'TXT', data: '"v"' }]);
    expect(txt(await resolve('half-lame.test', 'TXT'))).toEqual(['v']);
  });

  it('answer without authority where the recursor was delegated to', async () => {
    await dns.addZone('mistaken.test', { servers: ['primary', 'recursor'] });
    await dns.set('mistaken.test', [{ name: 'mistaken.test', type: 'TXT', ttl: 60, data: '"v"' }]);
    await resolve('mistaken.test', 'TXT');
    const reply = await ask('recursor', 'mistaken.test', 'TXT');
    expect(txt(reply)).toEqual(['v']);
    expect(reply.flag_aa).toBe(false);
  });

  it('sign: the recursor validates, and gives a broken zone only to who does not want that', async () => {
    const name = 'label.acme.platform.test';
    await dns.addZone('signed.test', { signed: true });
    await dns.set('signed.test', [{ name: 'a.signed.test', type: 'TXT', data: '"v"' }]);
    expect(await isValidated('a.signed.test')).toBe(true);
    await dns.breakSigning('signed.test');
    expect((await resolve('a.signed.test', 'TXT')).rcode).toBe('SERVFAIL');
    expect(txt(await resolve('a.signed.test', 'TXT', true))).toEqual(['v']);
    await dns.mendSigning('signed.test');
    expect(txt(await resolve('a.signed.test', 'TXT'))).toEqual(['v']);
    // Below an unsigned zone nobody vouches for a key.
    await dns.set('acme.platform.test', [{ name, type: 'TXT', data: '"v"' }]);
    expect(txt(await resolve(name, 'TXT'))).toEqual(['v']);
    expect(await isValidated(name)).toBe(false);
  });

  it('have CAA, wildcards, and aliases into other zones', async () => {
    await dns.set('customer.test', [
      { name: 'customer.test', type: 'CAA', data: '0 issue "ca.test"' },
      { name: '*.wild.customer.test', type: 'TXT', data: '"any"' },
      { name: '_acme-challenge.www.customer.test', type: 'CNAME', data: 'www.acme.platform.test.' },
    ]);
    await dns.set('acme.platform.test', [{ name: 'www.acme.platform.test', type: 'TXT', data: '"aliased"' }]);
    expect((await resolve('customer.test', 'CAA')).answers).toEqual([
      expect.objectContaining({ type: 'CAA', data: expect.objectContaining({ tag: 'issue', value: 'ca.test' }) }),
    ]);
    expect(txt(await resolve('whatever.wild.customer.test', 'TXT'))).toEqual(['any']);
    expect(txt(await resolve('_acme-challenge.www.customer.test', 'TXT'))).toEqual(['aliased']);
    const direct = await ask('primary', '_acme-challenge.www.customer.test', 'TXT');
    expect(direct.answers).toEqual([expect.objectContaining({ type: 'CNAME', data: 'www.acme.platform.test' })]);
  });

  it('take changes that are made at once, and none that is no record', async () => {
    const names = Array.from({ length: 5 }, (_, n) => `at-once-${n}.customer.test`);
    await Promise.all(names.map((name) => dns.set('customer.test', [{ name, type: 'TXT', data: '"v"' }])));
    const [name = ''] = names;
    await expect(dns.set('customer.test', [{ name, type: 'CAA', data: 'nonsense' }])).rejects.toThrow(/error.*zone-\S*customer/s);
    await dns.set('customer.test', [{ name, type: 'TXT', data: '"w"' }]);
    expect(await Promise.all(names.map(async (one) => txt(await ask('secondary', one, 'TXT'))))).toEqual([['w'], ['v'], ['v'], ['v'], ['v']]);
  });

  it('are cached by the recursor until it is told to forget', async () => {
    const name = 'cached.customer.test';
    const put = (value: string): Promise<void> => dns.set('customer.test', [{ name, type: 'TXT', ttl: 600, data: `"${value}"` }]);
    await put('old');
    expect(txt(await resolve(name, 'TXT'))).toEqual(['old']);
    await put('new');
    expect(txt(await resolve(name, 'TXT'))).toEqual(['old']);
    await dns.flush(name);
    expect(txt(await resolve(name, 'TXT'))).toEqual(['new']);
  });

  it('answer no more when stopped, and the others go on', async () => {
    await dns.set('customer.test', [{ name: 'on.customer.test', type: 'TXT', data: '"v"' }]);
    await dns.stopServer('secondary');
    await expect(ask('secondary', 'on.customer.test', 'TXT')).rejects.toMatchObject({ code: 'unreachable' });
    expect(txt(await resolve('on.customer.test', 'TXT'))).toEqual(['v']);
  });
});
