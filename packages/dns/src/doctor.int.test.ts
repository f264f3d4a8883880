import type { Diagnosis, DiagnosisCode } from '@certwright/core';
import { type NameServers, startNameServers } from '@certwright/testing';
import { createDns, type Dns } from './dns';

const RESOLVER = '127.0.0.1';
const PRIMARY = '127.0.0.11';
const SECONDARY = '127.0.0.12';
const ELSEWHERE = '127.0.0.13';

const SHOP = 'shop.customer.test';
const NAME = `_acme-challenge.${SHOP}`;
const VALUE = 'gfj9Xq-Rg85nM_zSLfXC0NMvVdzPJWmQ7XTSZmm2GX8';

describe('a diagnosis', () => {
  let servers: NameServers;
  let dns: Dns;

  beforeEach(async () => {
    servers = await startNameServers({ addresses: [RESOLVER, PRIMARY, SECONDARY, ELSEWHERE] });
    servers.addZone('customer.test', { servers: [PRIMARY, SECONDARY] });
    servers.addZone('test', { servers: [ELSEWHERE] });
    servers.addZone('platform.test', { servers: [ELSEWHERE] });
    dns = createDns({
      resolvers: [{ address: RESOLVER, port: servers.port }],
      authoritativePort: servers.port,
      allowPrivate: true,
      timeoutMs: 2_000,
    });
  });
  afterEach(() => servers.close());

  async function diagnose(expected = [VALUE]): Promise<Diagnosis> {
    const evidence = await dns.txtLookup.lookup(NAME, expected);
    return dns.dnsDoctor.diagnose({ identifier: SHOP, fqdn: NAME, expected, evidence });
  }
  const both = (how: 'silent' | 'servfail' | 'refused' | 'lame' | 'garbage'): void => {
    for (const address of [PRIMARY, SECONDARY]) servers.misbehave(address, how);
  };

  /** How each is produced; the ones that need real servers are in e2e. */
  const CASES: [DiagnosisCode, string, () => void][] = [
    ['ready', 'all servers have it', () => servers.setTxt(NAME, [VALUE])],
    ['record_missing', 'nothing is there', () => undefined],
    ['name_doubled', 'the form added the zone', () => servers.setTxt(`${NAME}.customer.test`, [VALUE])],
    ['name_doubled', 'the form added the domain', () => servers.setTxt(`${NAME}.${SHOP}`, [VALUE])],
    [
      'name_doubled',
      'the form added the domain, and a wildcard answers',
      () => (servers.setCname(`*.customer.test`, 'x.platform.test'), servers.setTxt(`${NAME}.customer.test`, [VALUE])),
    ],
    ['record_at_domain', 'at the domain itself', () => servers.setTxt(SHOP, [VALUE])],
    ['record_at_apex', 'at the apex', () => servers.setTxt('customer.test', ['v=spf1', VALUE])],
    ['record_under_wrong_label', 'at the apex’s own challenge name', () => servers.setTxt('_acme-challenge.customer.test', [VALUE])],
    ['record_under_wrong_label', 'without the underscore', () => servers.setTxt(`acme-challenge.${SHOP}`, [VALUE])],
    ['record_under_wrong_label', 'under www', () => servers.setTxt(`_acme-challenge.www.${SHOP}`, [VALUE])],
    ['old_value', 'the value of another order', () => servers.setTxt(NAME, ['B'.repeat(43)])],
    ['other_value', 'something else', () => servers.setTxt(NAME, ['hello'])],
    ['value_quoted', 'in quotes', () => servers.setTxt(NAME, [`"${VALUE}"`])],
    ['value_truncated', 'cut', () => servers.setTxt(NAME, [VALUE.slice(0, 30)])],
    ['value_has_spaces', 'with a space', () => servers.setTxt(NAME, [`${VALUE} `])],
    ['value_has_extra_text', 'with more text', () => servers.setTxt(NAME, [`value: ${VALUE}`.replace(' ', '')])],
    ['value_case_changed', 'in small letters', () => servers.setTxt(NAME, [VALUE.toLowerCase()])],
    ['value_is_name', 'the name pasted as value', () => servers.setTxt(NAME, [NAME])],
    ['cname_wrong_target', 'an alias to where nothing is', () => servers.setCname(NAME, 'x.platform.test')],
    ['cname_loop', 'an alias of itself', () => servers.setCname(NAME, NAME)],
    ['cname_dangling', 'an alias into nowhere', () => servers.setCname(NAME, 'x.gone.invalid')],
    ['servers_disagree', 'one without it, at the same serial', () => (servers.setTxt(NAME, [VALUE]), servers.setTxt(NAME, [], { on: SECONDARY }))],
    ['servers_lame', 'answers without authority', () => both('lame')],
    ['servers_refuse', 'REFUSED', () => both('refused')],
    ['servers_fail', 'SERVFAIL', () => both('servfail')],
    ['servers_unreachable', 'silence', () => both('silent')],
    ['servers_unreadable', 'garbage', () => both('garbage')],
  ];

  it.each(CASES)('%s: %s', async (code, _how, produce) => {
    produce();
    expect(await diagnose()).toMatchObject({ code });
  });

  it('txt_beside_cname: some servers give out both', async () => {
    servers.setCname(NAME, 'x.platform.test');
    servers.setTxt(NAME, [VALUE]);
    expect(await diagnose()).toMatchObject({ code: 'txt_beside_cname', remove: [{ type: 'CNAME', value: 'x.platform.test' }] });
  });

  it('servers_not_public, where private addresses are not asked', async () => {
    dns = createDns({ resolvers: [{ address: RESOLVER, port: servers.port }], authoritativePort: servers.port, allowPrivate: false, timeoutMs: 2_000 });
    expect(await diagnose()).toMatchObject({ code: 'servers_not_public', set: null });
  });

  it('zone_not_delegated: its name servers have no addresses', async () => {
    servers.addZone('customer.test', { servers: ['', ''] });
    expect(await diagnose()).toMatchObject({ code: 'zone_not_delegated' });
  });

  it('too_many_queries: aliases through zones with many servers', async () => {
    const many = Array.from({ length: 16 }, (_, index) => `127.0.1.${index + 1}`);
    servers.setCname(NAME, 'a1.hop1.test');
    for (let hop = 1; hop <= 7; hop += 1) {
      servers.addZone(`hop${hop}.test`, { servers: [ELSEWHERE, ...many] });
      servers.setCname(`a${hop}.hop${hop}.test`, `a${hop + 1}.hop${hop + 1}.test`);
    }
    expect(await diagnose()).toMatchObject({ code: 'too_many_queries', set: { fqdn: NAME } });
  }, 30_000);

  it('resolver_silent: this service has nobody to ask', async () => {
    dns = createDns({ resolvers: [{ address: '127.0.0.99', port: servers.port }], authoritativePort: servers.port, allowPrivate: true, timeoutMs: 1_000 });
    expect(await diagnose()).toMatchObject({ code: 'resolver_silent', actor: 'operator' });
  });

  it('says what to paste where, and what to remove', async () => {
    servers.setTxt(`${NAME}.customer.test`, [VALUE]);
    expect(await diagnose()).toMatchObject({
      actor: 'customer',
      set: { type: 'TXT', fqdn: NAME, host: '_acme-challenge.shop', value: VALUE },
      remove: [{ type: 'TXT', fqdn: `${NAME}.customer.test`, host: '_acme-challenge.shop.customer.test', value: VALUE }],
      facts: { found_at: `${NAME}.customer.test` },
    });
  });

  it('names the value that is missing of two', async () => {
    servers.setTxt(NAME, ['first']);
    expect(await diagnose(['first', VALUE])).toMatchObject({ code: 'record_missing', set: { value: VALUE } });
  });

  it('of a domain that is not registered', async () => {
    const evidence = await dns.txtLookup.lookup('_acme-challenge.nobody.invalid', [VALUE]);
    const diagnosis = await dns.dnsDoctor.diagnose({ identifier: 'nobody.invalid', fqdn: '_acme-challenge.nobody.invalid', expected: [VALUE], evidence });
    expect(diagnosis).toMatchObject({ code: 'domain_not_registered', set: null });
  });
});
