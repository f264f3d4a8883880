import type { CheckedRecord, Diagnosis, Domain, Order } from '@certwright/core';
import { setupViewOf } from './from-domain';

const NOW = new Date('2026-11-26T12:00:00Z');
const ACME_ZONE = 'acme.platform.test';
const ALIAS = '_acme-challenge.shop.customer.test';

const domain = (changes: Partial<Domain> = {}): Domain => ({
  id: '0b0f3f0e-0000-4000-8000-000000000001',
  tenantId: '0b0f3f0e-0000-4000-8000-000000000002',
  name: 'shop.customer.test',
  names: ['shop.customer.test'],
  status: 'pending',
  statusReason: null,
  verificationToken: 'token-1',
  verifiedAt: null,
  auto: false,
  watchAt: null,
  forecast: null,
  delegationLabel: 'label-1',
  createdAt: NOW,
  updatedAt: NOW,
  ...changes,
});

const diagnosis = (code: Diagnosis['code']): Diagnosis => ({
  code,
  message: 'What was seen.',
  actor: 'customer',
  action: 'What to do.',
  set: null,
  remove: [],
  waiting: { helps: false, until: null },
  at: NOW.toISOString(),
  since: NOW.toISOString(),
  facts: {},
});

const checked = (purpose: CheckedRecord['purpose'], code: Diagnosis['code']): CheckedRecord => ({
  purpose,
  fqdn: purpose === 'delegation' ? ALIAS : '_certwright-challenge.shop.customer.test',
  expected: [purpose === 'delegation' ? `label-1.${ACME_ZONE}` : 'token-1'],
  evidence: { fqdn: ALIAS, verdict: 'ready', detail: '', via: [], zone: 'customer.test', servers: [] },
  diagnosis: diagnosis(code),
  cached: null,
});

const viewOf = (of: Domain, more: Partial<Parameters<typeof setupViewOf>[1]> = {}) =>
  setupViewOf(of, { order: null, renewal: null, checked: [], linkExpiresAt: NOW, acmeZone: ACME_ZONE, ...more });

const forecast = (changes: Partial<NonNullable<Domain['forecast']>>): Domain['forecast'] => ({ isReady: true, needsValue: false, at: NOW.toISOString(), records: [], refusal: null, ...changes });

/** Whose value was last seen through `via`; null: nobody has looked yet. */
const order = (status: Order['status'], via: string[] | null): Order => ({
  id: '0b0f3f0e-0000-4000-8000-000000000003',
  tenantId: domain().tenantId,
  domainId: domain().id,
  names: domain().names,
  status,
  statusSince: NOW,
  generation: 1,
  renewal: false,
  keyType: 'ec-256',
  profile: null,
  reason: null,
  failures: 0,
  crashes: 0,
  dueAt: NOW,
  deadlineAt: NOW,
  accountId: null,
  acmeUrl: null,
  finalizeUrl: null,
  caExpiresAt: null,
  certificateId: null,
  watchedUntil: null,
  ignoreCaa: false,
  neededBy: null,
  replaces: null,
  requestId: null,
  createdAt: NOW,
  updatedAt: NOW,
  authorizations: [
    {
      id: '0b0f3f0e-0000-4000-8000-000000000004',
      identifier: 'shop.customer.test',
      wildcard: false,
      url: 'https://ca.test/authz/1',
      challengeUrl: 'https://ca.test/chall/1',
      txtName: ALIAS,
      txtValue: 'value-1',
      status: 'pending',
      evidence: via && { fqdn: ALIAS, verdict: 'absent', detail: '', via, zone: 'customer.test', servers: [] },
      diagnosis: null,
      checkedAt: NOW,
    },
  ],
});

describe('the page of a domain that its platform has to go on with', () => {
  it('announces the record that follows the one that shows whose it is', () => {
    const { headline, sentence } = viewOf(domain(), { checked: [checked('ownership', 'ready')] });
    expect(headline).toBe('We have found it');
    expect(sentence).toContain('Another record will follow');
  });

  it.each([
    ['alone', [checked('delegation', 'ready')]],
    ['and the other record', [checked('delegation', 'ready'), checked('ownership', 'ready')]],
  ])('asks for nothing where the alias is there, %s', (_what, seen) => {
    const { sentence } = viewOf(domain(), { checked: seen });
    expect(sentence).toContain('leave the record in place for good');
    expect(sentence).not.toContain('being issued');
  });

  it('says that a certificate is being issued where that comes by itself: by the alias, not by the other record', () => {
    expect(viewOf(domain({ auto: true }), { checked: [checked('delegation', 'ready')] }).sentence).toContain('being issued');
    expect(viewOf(domain({ auto: true }), { checked: [checked('ownership', 'ready')] }).sentence).not.toContain('being issued');
  });

  it('does not say so of a verified domain for which nobody has asked', () => {
    expect(viewOf(domain({ status: 'verified' })).sentence).not.toContain('being prepared');
    expect(viewOf(domain({ status: 'verified', auto: true })).sentence).toContain('being prepared');
  });
});

it.each(['pending', 'active'] satisfies Domain['status'][])('says what forbids the certificate where no record is wrong, of a domain that is %s', (status) => {
  const refused = domain({ auto: true, status, forecast: forecast({ isReady: false, refusal: 'CAA records allow others only.' }) });
  expect(viewOf(refused, { checked: status === 'pending' ? [checked('delegation', 'ready')] : [] }).sentence).toContain('CAA records allow others only.');
});

it('asks for no value at a name whose values are seen to be ours', () => {
  const pending = domain({ status: 'certificate_pending' });
  expect(viewOf(pending, { order: order('awaiting_dns', []) })).toMatchObject({ state: 'missing', records: [{ type: 'TXT' }] });
  expect(viewOf(pending, { order: order('awaiting_dns', [`label-1.${ACME_ZONE}`]) })).toMatchObject({ state: 'checking', records: [{ type: 'CNAME', state: 'ready' }] });
});

describe('what the page says of the record once there is a certificate', () => {
  it.each([
    ['the value was set by hand', { manual: true }, null, 'may be removed'],
    ['our own name servers gave it', { manual: false }, null, 'leave the record in place'],
    ['nothing is known of it', null, null, 'Your domain is secured.'],
    ['the alias has been seen since', { manual: true }, false, 'leave the record in place'],
    ['the alias is gone', { manual: false }, true, 'Your domain is secured.'],
  ])('where %s', (_what, renewal, needsValue, expected) => {
    const active = domain({ status: 'active', forecast: needsValue === null ? null : forecast({ needsValue }) });
    const { state, sentence } = viewOf(active, { order: order('valid', []), renewal });
    expect(state).toBe('done');
    expect(sentence).toContain(expected);
  });

  it('lets nobody remove a value that the CA is still to look at', () => {
    expect(viewOf(domain({ status: 'active' }), { order: order('validating', []), renewal: { manual: true } }).state).toBe('checking');
  });
});
