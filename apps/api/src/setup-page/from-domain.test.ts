import type { CheckedRecord, Diagnosis, Domain } from '@certwright/core';
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

const forecast = (needsValue: boolean): Domain['forecast'] => ({ isReady: true, needsValue, at: NOW.toISOString(), records: [], refusal: null });

describe('the page of a domain that its platform has to go on with', () => {
  it('announces the record that follows the one that shows whose it is', () => {
    const { headline, sentence } = viewOf(domain(), { checked: [checked('ownership', 'ready')] });
    expect(headline).toBe('We have found it');
    expect(sentence).toContain('Another record will follow');
  });

  it('asks for nothing after the alias', () => {
    const { sentence } = viewOf(domain(), { checked: [checked('delegation', 'ready')] });
    expect(sentence).toContain('leave the record in place for good');
    expect(sentence).not.toContain('being issued');
  });

  it('says that a certificate is being issued where that comes by itself', () => {
    expect(viewOf(domain({ auto: true }), { checked: [checked('delegation', 'ready')] }).sentence).toContain('being issued');
  });

  it('does not say so of a verified domain for which nobody has asked', () => {
    expect(viewOf(domain({ status: 'verified' })).sentence).not.toContain('being prepared');
    expect(viewOf(domain({ status: 'verified', auto: true })).sentence).toContain('being prepared');
  });
});

describe('what the page says of the record once there is a certificate', () => {
  it.each([
    ['the value was set by hand', { manual: true }, null, 'may be removed'],
    ['our own name servers gave it', { manual: false }, null, 'leave the record in place'],
    ['nothing is known of it', null, null, 'Your domain is secured.'],
    ['the alias has been seen since', { manual: true }, false, 'leave the record in place'],
    ['the alias is gone', { manual: false }, true, 'Your domain is secured.'],
  ])('where %s', (_what, renewal, needsValue, expected) => {
    const { state, sentence } = viewOf(domain({ status: 'active', forecast: needsValue === null ? null : forecast(needsValue) }), { renewal });
    expect(state).toBe('done');
    expect(sentence).toContain(expected);
  });
});
