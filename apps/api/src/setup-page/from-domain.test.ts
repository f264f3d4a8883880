import type { Authorization, CheckedRecord, Diagnosis, Domain, Order } from '@certwright/core';
import { aDiagnosis, aDomain, anAuthorization, anOrder } from '@certwright/testing';
import { setupViewOf } from './from-domain';
import type { SetupState } from './view';

const NOW = aDomain().createdAt;
const ACME_ZONE = 'acme.platform.test';
const ALIAS = '_acme-challenge.shop.customer.test';

const checked = (purpose: CheckedRecord['purpose'], code: Diagnosis['code']): CheckedRecord => ({
  purpose,
  fqdn: purpose === 'delegation' ? ALIAS : '_certwright-challenge.shop.customer.test',
  expected: [purpose === 'delegation' ? `label-1.${ACME_ZONE}` : 'token-1'],
  evidence: { fqdn: ALIAS, verdict: 'ready', detail: '', via: [], zone: 'customer.test', servers: [] },
  diagnosis: aDiagnosis(code),
  cached: null,
});

const viewOf = (of: Domain, more: Partial<Parameters<typeof setupViewOf>[1]> = {}) =>
  setupViewOf(of, { order: null, renewal: null, checked: [], linkExpiresAt: NOW, acmeZone: ACME_ZONE, ...more });

const forecast = (changes: Partial<NonNullable<Domain['forecast']>>): Domain['forecast'] => ({ isReady: true, needsValue: false, at: NOW.toISOString(), records: [], refusal: null, ...changes });

const OURS = `label-1.${ACME_ZONE}`;
const LIVES = new Date(Date.now() + 30 * 86_400_000);
const by = (manual: boolean, notAfter = LIVES) => ({ manual, notAfter });

/** Whose value was last seen through `via`, a minute after NOW; null: nobody has looked yet. */
const seenThrough = (via: string[] | null, changes: Partial<Authorization> = {}): Authorization =>
  anAuthorization({
    evidence: via && { fqdn: ALIAS, verdict: 'absent', detail: '', via, zone: 'customer.test', servers: [] },
    checkedAt: new Date(NOW.getTime() + 60_000),
    ...changes,
  });

const order = (status: Order['status'], via: string[] | null, changes: Partial<Authorization> = {}): Order => anOrder({ status, authorizations: [seenThrough(via, changes)] });

/** As the day's look has found the alias. */
const daily = (code: Diagnosis['code'], changes: Partial<Diagnosis> = {}) =>
  forecast({ isReady: code === 'ready', records: [{ fqdn: ALIAS, diagnosis: { ...aDiagnosis(code), ...changes } }] });

describe('the page of a domain that its platform has to go on with', () => {
  it('announces the record that follows the one that shows whose it is', () => {
    const { headline, sentence } = viewOf(aDomain(), { checked: [checked('ownership', 'ready')] });
    expect(headline).toBe('We have found it');
    expect(sentence).toContain('Another record will follow');
  });

  it.each([
    ['alone', [checked('delegation', 'ready')]],
    ['and the other record', [checked('delegation', 'ready'), checked('ownership', 'ready')]],
  ])('asks for nothing where the alias is there, %s', (_what, seen) => {
    const { sentence } = viewOf(aDomain(), { checked: seen });
    expect(sentence).toContain('leave the record in place for good');
    expect(sentence).not.toContain('being issued');
  });

  it('says that a certificate is being issued where that comes by itself: by the alias, not by the other record', () => {
    expect(viewOf(aDomain({ auto: true }), { checked: [checked('delegation', 'ready')] }).sentence).toContain('being issued');
    expect(viewOf(aDomain({ auto: true }), { checked: [checked('ownership', 'ready')] }).sentence).not.toContain('being issued');
  });

  it('does not say so of a verified domain for which nobody has asked', () => {
    expect(viewOf(aDomain({ status: 'verified' })).sentence).not.toContain('being prepared');
    expect(viewOf(aDomain({ status: 'verified', auto: true })).sentence).toContain('being prepared');
    const { sentence, records } = viewOf(aDomain({ status: 'verified', forecast: daily('ready') }));
    expect(records).toMatchObject([{ type: 'CNAME', state: 'ready' }]);
    expect(sentence).toContain('leave the record in place for good');
  });
});

it('asks for no token of a name whose alias is there', () => {
  const two = aDomain({ names: ['shop.customer.test', 'www.customer.test'] });
  const token = { ...checked('ownership', 'record_missing'), fqdn: '_certwright-challenge.www.customer.test' };
  const seen = [checked('delegation', 'ready'), { ...checked('delegation', 'delegation_missing'), fqdn: '_acme-challenge.www.customer.test' }, checked('ownership', 'ready'), token];
  expect(viewOf(two, { checked: seen })).toMatchObject({
    state: 'missing',
    headline: 'One step left: 1 of 2 DNS records is still to be set',
    records: [{ fqdn: ALIAS }, { fqdn: '_acme-challenge.www.customer.test' }],
  });
  const set = [...seen.slice(0, 2), checked('ownership', 'record_missing'), { ...token, diagnosis: aDiagnosis('ready') }];
  expect(viewOf(two, { checked: set })).toMatchObject({ state: 'checking', records: [{ fqdn: ALIAS }, { fqdn: token.fqdn }] });
});

it.each(['pending', 'active'] satisfies Domain['status'][])('says what forbids the certificate where no record is wrong, of a domain that is %s', (status) => {
  const refused = aDomain({ auto: true, status, forecast: forecast({ isReady: false, refusal: 'CAA records allow others only.' }) });
  expect(viewOf(refused, { checked: status === 'pending' ? [checked('delegation', 'ready')] : [] }).sentence).toContain('CAA records allow others only.');
});

describe('the alias and the value of one name', () => {
  const issuing = aDomain({ status: 'certificate_pending' });

  it('are asked for as the order has seen them', () => {
    expect(viewOf(issuing, { order: order('awaiting_dns', []) })).toMatchObject({ state: 'missing', records: [{ type: 'TXT' }] });
    expect(viewOf(issuing, { order: order('awaiting_dns', [OURS]) })).toMatchObject({ state: 'checking', records: [{ type: 'CNAME', state: 'ready' }] });
  });

  it.each(['servers_disagree', 'dnssec_bogus'] satisfies Diagnosis['code'][])('an alias that is followed is not in order by that alone: %s', (code) => {
    const view = viewOf(issuing, { order: order('awaiting_dns', [OURS], { diagnosis: aDiagnosis(code) }) });
    expect(view).toMatchObject({ state: 'partly', records: [{ type: 'CNAME', state: code, action: 'What to do.' }] });
  });

  it('the newer look of two is believed, wherever it is from', () => {
    const gone = aDomain({ status: 'certificate_pending', forecast: daily('ready') });
    expect(viewOf(gone, { order: order('awaiting_dns', [], { diagnosis: aDiagnosis('record_missing') }) })).toMatchObject({ state: 'missing', records: [{ type: 'CNAME', state: null }] });
    const older = { checkedAt: new Date(NOW.getTime() - 60_000) };
    expect(viewOf(gone, { order: order('awaiting_dns', [], older) })).toMatchObject({ state: 'checking', records: [{ type: 'CNAME' }] });
    const suspect = { ...gone, forecast: daily('ready') && { ...forecast({ records: daily('ready')?.records ?? [] }), isSuspect: true } } as Domain;
    expect(viewOf(suspect, { order: order('awaiting_dns', [], older) }).state).toBe('missing'); // what it says is older than its time
  });

  it.each([
    ['ready', 'servers_unreachable', 'partly'],
    ['ready', 'resolver_silent', 'checking'],
    ['delegation_unserved', 'resolver_silent', 'checking'],
    ['delegation_missing', 'resolver_silent', 'missing'],
  ] satisfies [Diagnosis['code'], Diagnosis['code'], SetupState][])('a look that gets no answer does not say that the alias is gone: %s before, then %s', (before, now, state) => {
    const evidence = { fqdn: ALIAS, verdict: 'no_answer' as const, detail: '', via: [], zone: null, servers: [] };
    const view = viewOf({ ...issuing, forecast: daily(before) }, { order: order('awaiting_dns', null, { evidence, diagnosis: aDiagnosis(now) }) });
    expect(view.state).toBe(state);
    expect(view.records).toMatchObject([{ type: 'CNAME', state: now }]);
  });

  it('what the day has found of an alias is forgotten where it is not there any more', () => {
    const view = viewOf({ ...issuing, auto: true, forecast: daily('delegation_unserved') }, { order: order('awaiting_dns', [], { diagnosis: aDiagnosis('record_missing') }) });
    expect(view).toMatchObject({ state: 'missing', records: [{ type: 'CNAME', state: null }] });
  });

  it('of several names each is shown its own; what the CA has taken from an earlier order is none of it', () => {
    const www = '_acme-challenge.www.customer.test';
    const names = ['shop.customer.test', 'www.customer.test'];
    const reused = anAuthorization({ identifier: 'www.customer.test', txtName: www, status: 'valid' });
    const behind = seenThrough([OURS], { diagnosis: aDiagnosis('secondary_behind') });
    const of = { ...issuing, names };
    expect(viewOf(of, { order: anOrder({ names, authorizations: [behind, reused] }) }).records).toMatchObject([{ type: 'CNAME', fqdn: ALIAS, state: 'secondary_behind' }]);
    const mixed = [behind, seenThrough([], { identifier: 'www.customer.test', txtName: www })];
    expect(viewOf(of, { order: anOrder({ names, authorizations: mixed }) }).records).toMatchObject([{ type: 'CNAME', fqdn: ALIAS }, { type: 'TXT', fqdn: www }]);
  });

  it('nothing is to be removed any more where the right alias is seen', () => {
    const wrong = daily('cname_wrong_target', { remove: [{ type: 'CNAME', fqdn: ALIAS, host: '_acme-challenge.shop', value: 'old.example' }] });
    expect(viewOf({ ...issuing, forecast: wrong }, { order: order('awaiting_dns', [OURS]) }).records).toMatchObject([{ state: 'ready', remove: [] }]);
  });
});

it('of a domain that goes on by its alias alone the token is no beginning', () => {
  const view = viewOf(aDomain({ auto: true }), { checked: [checked('delegation', 'delegation_missing'), checked('ownership', 'ready')] });
  expect(view).toMatchObject({ state: 'missing', records: [{ type: 'CNAME' }] });
});

it.each([
  ['before there is a certificate', aDomain({ auto: true }), [checked('delegation', 'delegation_unserved')], 'checking'],
  ['afterwards', aDomain({ status: 'active', forecast: daily('delegation_unserved') }), [], 'done'],
] satisfies [string, Domain, CheckedRecord[], string][])('our own trouble is nothing for the owner to do, %s', (_what, of, seen, state) => {
  const view = viewOf(of, { checked: seen, renewal: by(false) });
  expect(view.state).toBe(state);
  expect(view.records.map(({ action }) => action)).toEqual([null]);
  if (state === 'checking') expect(view).toMatchObject({ headline: 'Something else is in the way', sentence: expect.stringContaining('nothing for you to do') });
});

it('our own trouble does not say that a record is there that nobody has seen', () => {
  const byHand = viewOf(aDomain({ status: 'certificate_pending' }), { acmeZone: null, order: order('awaiting_dns', [], { diagnosis: aDiagnosis('resolver_silent') }) });
  expect(byHand).toMatchObject({ state: 'missing', records: [{ type: 'TXT', state: 'resolver_silent', action: null }] });
  expect(viewOf(aDomain({ auto: true }), { checked: [checked('delegation', 'resolver_silent')] }).state).toBe('missing');
});

describe('an order that waits for its turn', () => {
  const waits = anOrder({ status: 'new', authorizations: [], reason: { code: 'acme_budget_spent', detail: 'Its turn comes.' } });

  it('says so, whatever else is in the way', () => {
    const refused = aDomain({ status: 'certificate_pending', auto: true, forecast: forecast({ isReady: false, refusal: 'CAA records allow others only.' }) });
    expect(viewOf(refused, { order: waits })).toMatchObject({ headline: 'Nothing to do yet', sentence: 'Its turn comes.' });
  });

  it('shows no record that nobody has looked for', () => {
    expect(viewOf(aDomain({ status: 'certificate_pending', auto: true }), { order: waits })).toMatchObject({ state: 'preparing', records: [] });
  });
});

describe('an order that has failed', () => {
  const failed = aDomain({ status: 'failed', statusReason: 'The CA said no.' });
  const invalid = (via: string[]) => order('invalid', via);

  it.each([
    ['by hand: a new value', failed, invalid([]), 'a new value to set'],
    ['through the alias: nothing new', failed, invalid([OURS]), 'the record can stay as it is'],
    ['by itself, alias in place', { ...failed, auto: true, forecast: daily('ready') }, invalid([OURS]), 'nothing new has to be set'],
    ['through the alias that was not in order', failed, order('invalid', [OURS], { diagnosis: aDiagnosis('servers_disagree') }), 'once that is mended; the record can stay as it is'],
    ['through the alias, by our own fault', failed, order('invalid', [OURS], { diagnosis: aDiagnosis('delegation_unserved') }), 'start again; the record can stay as it is'],
    ['by itself, alias gone', { ...failed, auto: true, forecast: daily('delegation_missing') }, invalid([]), 'what is shown below has to be in place'],
  ])('%s', (_what, of, last, expected) => {
    const { state, sentence } = viewOf(of, { order: last });
    expect(state).toBe('failed');
    expect(sentence).toContain('The CA said no.');
    expect(sentence).toContain(expected);
  });
});

describe('what the page says of the record once there is a certificate', () => {
  it.each([
    ['the value was set by hand', by(true), null, 'may be removed'],
    ['our own name servers gave it', by(false), null, 'leave the record in place'],
    ['nothing is known of it', null, null, 'Your domain is secured.'],
    ['the alias has been seen since', by(true), false, 'leave the record in place'],
    ['the alias is gone', by(false), true, 'Your domain is secured.'],
  ])('where %s', (_what, renewal, needsValue, expected) => {
    const active = aDomain({ status: 'active', forecast: needsValue === null ? null : forecast({ needsValue }) });
    const { state, sentence } = viewOf(active, { order: order('valid', []), renewal });
    expect(state).toBe('done');
    expect(sentence).toContain(expected);
  });

  it('of several names gives away the values alone, and not the alias', () => {
    const names = ['shop.customer.test', 'www.customer.test'];
    const mixed = anOrder({ names, status: 'valid', authorizations: [seenThrough([OURS]), seenThrough([], { identifier: 'www.customer.test', txtName: '_acme-challenge.www.customer.test' })] });
    expect(viewOf(aDomain({ names, status: 'active' }), { order: mixed, renewal: by(true) }).sentence).toMatch(/leave the CNAME record in place. The TXT record may be removed/);
  });

  it('takes one look without an answer for nothing', () => {
    const active = aDomain({ status: 'active', forecast: daily('ready') });
    const view = viewOf(active, { order: order('valid', [OURS]), renewal: by(false), checked: [checked('delegation', 'servers_unreachable')] });
    expect(view).toMatchObject({ state: 'done', records: [{ type: 'CNAME', state: 'ready' }] });
  });

  it('believes what was just seen', () => {
    const active = aDomain({ status: 'active', forecast: daily('ready') });
    const view = viewOf(active, { order: order('valid', [OURS]), renewal: by(false), checked: [checked('delegation', 'delegation_missing')] });
    expect(view).toMatchObject({ state: 'missing', records: [{ type: 'CNAME', state: 'delegation_missing' }] });
    const byHandBefore = viewOf({ ...active, forecast: null }, { order: order('valid', [OURS]), renewal: by(false), checked: [checked('delegation', 'delegation_missing')] });
    expect(byHandBefore.state).toBe('missing');
  });

  it('lets nobody remove a value that the CA is still to look at', () => {
    expect(viewOf(aDomain({ status: 'active' }), { order: order('validating', []), renewal: by(true) }).state).toBe('checking');
  });

  it('says that the next one is refused, also where it is asked for by hand', () => {
    const refused = aDomain({ status: 'active', forecast: forecast({ isReady: false, needsValue: true, refusal: 'CAA records allow others only.' }) });
    expect(viewOf(refused, { order: order('valid', []), renewal: by(true), acmeZone: null }).sentence).toMatch(/the next certificate will not come: CAA records allow others only/);
  });

  it('calls nothing secured that has expired, and goes on looking', () => {
    const { state, headline, sentence } = viewOf(aDomain({ status: 'active' }), { order: order('invalid', []), renewal: by(true, new Date(NOW.getTime() - 86_400_000)), acmeZone: null });
    expect([state, headline]).toEqual(['preparing', 'The certificate has expired']);
    expect(sentence).not.toContain('secured');
  });
});
