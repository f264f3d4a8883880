import type { CaaIssuer, Diagnosis, DiagnosisCode } from '@certwright/core';
import { type RealDns, startRealDns } from '@certwright/testing';
import { createDns, type Dns } from './dns';
import { query } from './wire';

const VALUE = 'gfj9Xq-Rg85nM_zSLfXC0NMvVdzPJWmQ7XTSZmm2GX8';

/** On Knot and Unbound: a zone of its own for each, `shop.<zone>` being the name the certificate is for. */
interface Place {
  zone: string;
  shop: string;
  fqdn: string;
  txt(name: string, value: string): Promise<void>;
  cname(name: string, target: string): Promise<void>;
}

describe('diagnoses of what real servers say', () => {
  let real: RealDns;
  let dns: Dns;
  let count = 0;

  beforeAll(async () => {
    real = await startRealDns({ allowSnoop: true });
    dns = createDns({ resolvers: [real.resolver], authoritativePort: real.port, allowPrivate: true, timeoutMs: 3_000 });
  }, 60_000);
  afterAll(() => real.stop());

  function at(zone: string): Place {
    const shop = `shop.${zone}`;
    const put = (name: string, type: 'TXT' | 'CNAME', data: string): Promise<void> => real.set(zone, [{ name, type, data }]);
    return {
      zone,
      shop,
      fqdn: `_acme-challenge.${shop}`,
      txt: (name, value) => put(name, 'TXT', JSON.stringify(value)),
      cname: (name, target) => put(name, 'CNAME', `${target}.`),
    };
  }
  async function place(options: { servers?: ('primary' | 'secondary' | 'lame')[]; signed?: boolean } = {}): Promise<Place> {
    count += 1;
    const zone = `z${count}.test`;
    await real.addZone(zone, options);
    return at(zone);
  }
  async function diagnose({ shop, fqdn }: Place): Promise<Diagnosis> {
    const evidence = await dns.txtLookup.lookup(fqdn, [VALUE]);
    return dns.dnsDoctor.diagnose({ identifier: shop, fqdn, expected: [VALUE], evidence });
  }

  const CASES: [DiagnosisCode, (place: Place) => Promise<unknown>][] = [
    ['ready', ({ txt, fqdn }) => txt(fqdn, VALUE)],
    ['record_missing', async () => undefined],
    ['name_doubled', ({ txt, fqdn, zone }) => txt(`${fqdn}.${zone}`, VALUE)],
    ['record_at_domain', ({ txt, shop }) => txt(shop, VALUE)],
    ['record_at_apex', ({ txt, zone }) => txt(zone, VALUE)],
    ['record_under_wrong_label', ({ txt, shop }) => txt(`acme-challenge.${shop}`, VALUE)],
    ['old_value', ({ txt, fqdn }) => txt(fqdn, 'B'.repeat(43))],
    ['other_value', ({ txt, fqdn }) => txt(fqdn, 'hello')],
    ['value_quoted', ({ txt, fqdn }) => txt(fqdn, `"${VALUE}"`)],
    ['value_truncated', ({ txt, fqdn }) => txt(fqdn, VALUE.slice(0, 20))],
    ['value_has_spaces', ({ txt, fqdn }) => txt(fqdn, ` ${VALUE} `)],
    ['value_has_extra_text', ({ txt, fqdn }) => txt(fqdn, `acme=${VALUE}`)],
    ['value_case_changed', ({ txt, fqdn }) => txt(fqdn, VALUE.toUpperCase())],
    ['value_is_name', ({ txt, fqdn }) => txt(fqdn, `${fqdn}.`)],
    ['cname_wrong_target', ({ cname, fqdn, zone }) => cname(fqdn, `nothing.${zone}`)],
    ['cname_loop', async ({ cname, fqdn, zone }) => (await cname(fqdn, `a.${zone}`), await cname(`a.${zone}`, fqdn))],
    ['cname_dangling', ({ cname, fqdn }) => cname(fqdn, 'acme.nobody-has-registered-this.test')],
    ['wildcard_answers', ({ txt, shop }) => txt(`*.${shop}`, 'hello')],
    ['servers_unreachable', async () => undefined],
  ];
  it.each(CASES.filter(([code]) => code !== 'servers_unreachable'))('%s', async (code, produce) => {
    const here = await place();
    await produce(here);
    expect(await diagnose(here)).toMatchObject({ code });
  });

  it('wildcard_answers, where the wildcard is an alias', async () => {
    const here = await place();
    await here.cname(`*.${here.shop}`, `www.${here.zone}`);
    expect(await diagnose(here)).toMatchObject({ code: 'wildcard_answers' });
  });

  describe('of a name that is to be an alias', () => {
    const alias = 'label.platform-of-aliases.test';
    beforeAll(async () => {
      await real.addZone('platform-of-aliases.test');
      await real.set('platform-of-aliases.test', [{ name: alias, type: 'TXT', data: JSON.stringify(VALUE) }]);
    });
    async function diagnoseAlias({ shop, fqdn }: Place): Promise<Diagnosis> {
      const evidence = await dns.txtLookup.lookup(fqdn, [VALUE]);
      return dns.dnsDoctor.diagnose({ identifier: shop, fqdn, expected: [VALUE], evidence, alias });
    }
    const set = { type: 'CNAME', host: '_acme-challenge.shop', value: alias };

    it('delegation_missing: nothing is there', async () => {
      expect(await diagnoseAlias(await place())).toMatchObject({ code: 'delegation_missing', set, remove: [] });
    });

    it('delegation_missing: a TXT record is in its place', async () => {
      const here = await place();
      await here.txt(here.fqdn, 'hello');
      expect(await diagnoseAlias(here)).toMatchObject({ code: 'delegation_missing', set, remove: [{ type: 'TXT', value: 'hello' }] });
    });

    it('cname_wrong_target: another one', async () => {
      const here = await place();
      await here.cname(here.fqdn, `cdn.${here.zone}`);
      const found = await diagnoseAlias(here);
      expect(found).toMatchObject({ code: 'cname_wrong_target', set, action: 'Set the CNAME record shown here, in place of what is there.' });
    });

    it('cname_wrong_target: the form has added the zone to it', async () => {
      const here = await place();
      await here.cname(here.fqdn, `${alias}.${here.zone}`);
      expect(await diagnoseAlias(here)).toMatchObject({
        code: 'cname_wrong_target',
        message: `${here.fqdn} is an alias (CNAME) of ${alias}.${here.zone}, and not of ${alias}: ${here.zone} was added to it.`,
        action: expect.stringMatching(/dot at its end/) as string,
      });
    });

    it.each(['TXT', 'CNAME'])('wildcard_answers: a %s record that is not at the name', async (type) => {
      const here = await place();
      await (type === 'TXT' ? here.txt(`*.${here.shop}`, 'v=spf1 -all') : here.cname(`*.${here.shop}`, `cdn.${here.zone}`));
      expect(await diagnoseAlias(here)).toMatchObject({ code: 'wildcard_answers', set, remove: [], action: expect.stringMatching(/^Set the CNAME record/) as string });
    });

    it('secondary_behind: one of the owner’s servers has not fetched the alias yet', async () => {
      const here = await place();
      real.freezeSecondary();
      await here.cname(here.fqdn, alias);
      const found = await diagnoseAlias(here);
      await real.thawSecondary();
      expect(found).toMatchObject({ code: 'secondary_behind', facts: { zone: here.zone, lacking: [{ address: real.addresses.secondary }] } });
      expect(await diagnoseAlias(here)).toMatchObject({ code: 'ready' });
    });
  });

  it('a host is relative to the zone, as its provider’s form wants it', async () => {
    const below = await place();
    await real.addZone(`sub.${below.zone}`);
    const here = at(`sub.${below.zone}`);
    expect((await diagnose(here)).set).toMatchObject({ host: '_acme-challenge.shop', fqdn: here.fqdn });
  });

  it('secondary_behind, while a secondary has not fetched the zone', async () => {
    const here = await place();
    real.freezeSecondary();
    await here.txt(here.fqdn, VALUE);
    const found = await diagnose(here);
    await real.thawSecondary();
    expect(found).toMatchObject({ code: 'secondary_behind', waiting: { helps: true, until: expect.any(String) }, facts: { lacking: [{ address: real.addresses.secondary }] } });
    expect(await diagnose(here)).toMatchObject({ code: 'ready' });
  });

  it('servers_refuse, where the delegation leads to servers without the zone', async () => {
    expect(await diagnose(await place({ servers: ['lame'] }))).toMatchObject({ code: 'servers_refuse' });
  });

  it('ready, where one of the servers does not have the zone', async () => {
    const here = await place({ servers: ['primary', 'lame'] });
    await here.txt(here.fqdn, VALUE);
    expect(await diagnose(here)).toMatchObject({ code: 'ready' });
  });

  it('what the resolver still remembers is told: an older value, and for how long', async () => {
    const here = await place();
    const put = (value: string): Promise<void> => real.set(here.zone, [{ name: here.fqdn, type: 'TXT', ttl: 300, data: JSON.stringify(value) }]);
    await put('old');
    await query({ name: here.fqdn, type: 'TXT' }, real.resolver, { timeoutMs: 2_000, recursionDesired: true });
    await put(VALUE);
    const cached = await dns.dnsDoctor.cached(here.fqdn);
    expect(cached?.values).toEqual(['old']);
    expect(cached?.ttl).toBeGreaterThan(200);
    expect(await diagnose(here)).toMatchObject({ code: 'ready' }); // the name servers themselves have it
  });

  it('domain_not_registered', async () => {
    expect(await diagnose(at('nobody-has-registered-this-either.test'))).toMatchObject({ code: 'domain_not_registered', set: null });
  });

  it('dnssec_bogus, once the parent vouches for another key', async () => {
    const here = await place({ signed: true });
    await here.txt(here.fqdn, VALUE);
    expect(await diagnose(here)).toMatchObject({ code: 'ready' });
    await real.breakSigning(here.zone);
    expect(await diagnose(here)).toMatchObject({ code: 'dnssec_bogus' });
    expect(await dns.caaLookup.forbids([here.shop], { identities: ['ca.platform.test'], accountUri: null })).toMatchObject({
      code: 'dnssec_bogus',
      waiting: { helps: true },
    });
  });

  it('dnssec_bogus, where an alias leads out of the broken zone into a sound one', async () => {
    const [here, sound] = [await place({ signed: true }), await place()];
    await sound.txt(sound.fqdn, VALUE);
    await real.set(here.zone, [{ name: here.fqdn, type: 'CNAME', data: `${sound.fqdn}.` }]);
    expect(await diagnose(here)).toMatchObject({ code: 'ready' });
    await real.breakSigning(here.zone);
    expect(await diagnose(here)).toMatchObject({ code: 'dnssec_bogus' });
  });

  describe('caa_forbids_issuer', () => {
    const OURS: CaaIssuer = { identities: ['ca.platform.test'], accountUri: 'https://ca.platform.test/account/1' };
    const caa = ({ zone }: Place, name: string, ...data: string[]): Promise<void> => real.set(zone, data.map((one) => ({ name, type: 'CAA', data: one })));

    it.each<[string, string[], string | null]>([
      ['another issuer', ['0 issue "other.test"'], 'other-issuer'],
      ['nobody', ['0 issue ";"'], 'no-issuer'],
      ['another account', ['0 issue "ca.platform.test; accounturi=https://ca.platform.test/account/2"'], 'account'],
      ['another method', ['0 issue "ca.platform.test; validationmethods=http-01"'], 'method'],
      ['an unknown critical property', ['128 tbs "x"', '0 issue "ca.platform.test"'], 'unknown-critical'],
      ['us, among others', ['0 issue "other.test"', '0 issue "ca.platform.test; validationmethods=dns-01,http-01"'], null],
      ['us, by account', ['0 issue "CA.platform.test; accounturi=https://ca.platform.test/account/1"'], null],
      ['nobody for wildcards', ['0 issuewild ";"'], null],
      ['only whom to tell', ['0 iodef "mailto:x@y.test"'], null],
    ])('allowing %s', async (_what, records, refusal) => {
      const here = await place();
      await caa(here, here.zone, ...records);
      const found = await dns.caaLookup.forbids([here.shop], OURS);
      if (refusal === null) expect(found).toBeNull();
      else expect(found).toMatchObject({ code: 'caa_forbids_issuer', facts: { refusal, at: here.zone }, set: refusal === 'unknown-critical' ? null : { host: '@', type: 'CAA' } });
    });

    it('for a wildcard, issuewild goes before issue', async () => {
      const here = await place();
      await caa(here, here.zone, '0 issue "ca.platform.test"', '0 issuewild "other.test"');
      expect(await dns.caaLookup.forbids([here.shop], OURS)).toBeNull();
      expect(await dns.caaLookup.forbids([`*.${here.shop}`], OURS)).toMatchObject({ set: { value: '0 issuewild "ca.platform.test"' } });
    });

    it('is looked for at the closest name, through aliases', async () => {
      const here = await place();
      await caa(here, here.zone, '0 issue "other.test"');
      await caa(here, here.shop, '0 issue "ca.platform.test"');
      expect(await dns.caaLookup.forbids([here.shop], OURS)).toBeNull();
      await caa(here, `target.${here.zone}`, '0 issue "third.test"');
      await here.cname(`alias.${here.zone}`, `target.${here.zone}`);
      expect(await dns.caaLookup.forbids([`alias.${here.zone}`], OURS)).toMatchObject({ code: 'caa_forbids_issuer' });
    });
  });
});
