import type { CheckedRecord, Diagnosis, Domain, Order } from '@certwright/core';
import { aDiagnosis, aDomain, anAuthorization, anOrder } from '@certwright/testing';
import { setupViewOf } from './from-domain';

const NOW = new Date('2026-11-26T12:00:00Z');
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

/** Whose value was last seen through `via`; null: nobody has looked yet. */
const order = (status: Order['status'], via: string[] | null): Order =>
  anOrder({
    status,
    authorizations: [anAuthorization({ evidence: via && { fqdn: ALIAS, verdict: 'absent', detail: '', via, zone: 'customer.test', servers: [] } })],
  });

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
  });
});

it.each(['pending', 'active'] satisfies Domain['status'][])('says what forbids the certificate where no record is wrong, of a domain that is %s', (status) => {
  const refused = aDomain({ auto: true, status, forecast: forecast({ isReady: false, refusal: 'CAA records allow others only.' }) });
  expect(viewOf(refused, { checked: status === 'pending' ? [checked('delegation', 'ready')] : [] }).sentence).toContain('CAA records allow others only.');
});

it('asks for no value at a name whose values are seen to be ours', () => {
  const pending = aDomain({ status: 'certificate_pending' });
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
    const active = aDomain({ status: 'active', forecast: needsValue === null ? null : forecast({ needsValue }) });
    const { state, sentence } = viewOf(active, { order: order('valid', []), renewal });
    expect(state).toBe('done');
    expect(sentence).toContain(expected);
  });

  it('lets nobody remove a value that the CA is still to look at', () => {
    expect(viewOf(aDomain({ status: 'active' }), { order: order('validating', []), renewal: { manual: true } }).state).toBe('checking');
  });
});
