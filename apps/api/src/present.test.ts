import type { CheckedRecord, Diagnosis, Domain, Order, Renewal, TxtEvidence } from '@certwright/core';
import { aDiagnosis, aDomain, anAuthorization, anOrder } from '@certwright/testing';
import { presentDomainInFull, presentOrder } from './present';
import { presentIssuing } from './present-issuing';
import { presentDnsRecords, presentOutcome } from './present-dns';

const ACME_ZONE = 'acme.platform.test';
const EVIDENCE: TxtEvidence = { fqdn: '_acme-challenge.shop.customer.test', verdict: 'ready', detail: '', via: [], zone: 'customer.test', servers: [] };

describe('the records that an order asks for', () => {
  const valuesOf = (order: Order): string[] => presentDnsRecords(aDomain({ status: 'certificate_pending' }), order, null).map(({ value }) => value);

  it('leave out what the CA has taken from an earlier order: nobody has looked for its value, nor will anybody', () => {
    const reused = anAuthorization({ identifier: 'www.shop.customer.test', status: 'valid', txtValue: 'value-2' });
    expect(valuesOf(anOrder({ authorizations: [anAuthorization(), reused] }))).toEqual(['value-1']);
  });

  it('keep what this order has proved: the CA may look again until it is issued', () => {
    const proved = anAuthorization({ status: 'valid', evidence: EVIDENCE });
    expect(valuesOf(anOrder({ status: 'validating', authorizations: [proved] }))).toEqual(['value-1']);
  });
});

describe('a value that our own name servers would give, if the alias were still there', () => {
  const daily = (code: Diagnosis['code'], agoMs = 60_000): Domain['forecast'] => ({
    at: new Date(anOrder().createdAt.getTime() - agoMs).toISOString(),
    isReady: code === 'ready',
    needsValue: false,
    records: [{ fqdn: '_acme-challenge.shop.customer.test', diagnosis: aDiagnosis(code) }],
    refusal: null,
  });
  const domain = aDomain({ status: 'active', forecast: daily('ready') });
  const order = (evidence: TxtEvidence | null, diagnosis: Diagnosis | null = null) => anOrder({ neededBy: new Date(), authorizations: [anAuthorization({ evidence, diagnosis })] });
  const instructionsWith = (of: Order, by = domain, manual = false) => presentIssuing(of, { domain: by, renewal: { manual } as Renewal, acmeZone: ACME_ZONE }).instructions;
  const THROUGH: TxtEvidence = { ...EVIDENCE, verdict: 'partial', via: [`label-1.${ACME_ZONE}`] };

  it('is asked for as soon as the order has seen that it is not', () => {
    expect(presentDnsRecords(domain, order(EVIDENCE), ACME_ZONE).map(({ type, state }) => [type, state])).toEqual([['CNAME', null], ['TXT', null]]);
    expect(instructionsWith(order(EVIDENCE))).toContain('Set a TXT record at _acme-challenge.shop.customer.test with the value value-1');
  });

  it('is asked for where that was seen days ago', () => {
    const stale = aDomain({ status: 'verified', forecast: daily('ready', 3 * 86_400_000) });
    expect(presentIssuing(anOrder(), { domain: stale, renewal: null, acmeZone: ACME_ZONE }).instructions).toContain('Set a TXT record');
  });

  it('is not asked for before', () => {
    expect(presentDnsRecords(domain, order(null), ACME_ZONE).map(({ type, state }) => [type, state])).toEqual([['CNAME', 'ready']]);
    expect(instructionsWith(order(null))).toBe('Nothing needs to be set: the rest happens by itself.');
  });

  it('is not asked for where a look got no answer, nor where the alias was mended after the day’s look', () => {
    expect(instructionsWith(order({ ...EVIDENCE, verdict: 'no_answer' }))).toBe('Nothing needs to be set: the rest happens by itself.');
    expect(instructionsWith(order(null), aDomain({ status: 'active', forecast: daily('delegation_missing') }))).toBe('Nothing needs to be set: the rest happens by itself.');
  });

  it('of several names is asked for where the alias is not, and by that alone', () => {
    const by = anAuthorization({ identifier: 'b.customer.test', txtName: '_acme-challenge.b.customer.test', txtValue: 'value-b', evidence: { ...EVIDENCE, fqdn: '_acme-challenge.b.customer.test' } });
    const mixed = anOrder({ names: ['shop.customer.test', 'b.customer.test'], authorizations: [anAuthorization({ evidence: THROUGH }), by] });
    const told = presentIssuing(mixed, { domain: aDomain({ status: 'certificate_pending', forecast: null }), renewal: null, acmeZone: ACME_ZONE });
    expect(told).toMatchObject({ challenge_domain: by.txtName, expected_txt_value: 'value-b' });
    expect(told.instructions).toContain('value-b');
    expect(told.instructions).not.toContain('_acme-challenge.shop');
  });

  it.each([
    ['pending', false, 'POST /domains/0b0f3f0e-0000-4000-8000-000000000001/verify.'],
    ['pending', true, 'Nothing: the rest happens by itself.'],
    ['verified', false, 'POST /domains/0b0f3f0e-0000-4000-8000-000000000001/issue-certificate.'],
  ] as const)('once the alias is in order a check says what comes next: %s, auto %s', (status, auto, action) => {
    const seen = { purpose: 'delegation' as const, fqdn: EVIDENCE.fqdn, expected: [`label-1.${ACME_ZONE}`], evidence: { ...THROUGH, verdict: 'ready' as const }, diagnosis: aDiagnosis('ready'), cached: null };
    expect(presentOutcome(aDomain({ status, auto }), [seen]).action).toBe(action);
  });

  it('says what is wrong with an alias that is followed, and is not in order', () => {
    for (const manual of [true, false]) expect(instructionsWith(order(THROUGH, aDiagnosis('servers_disagree')), domain, manual)).toBe('What was seen. What to do.');
    const message = presentOutcome(aDomain({ status: 'certificate_pending' }), [
      { purpose: 'delegation', fqdn: EVIDENCE.fqdn, expected: [`label-1.${ACME_ZONE}`], evidence: THROUGH, diagnosis: aDiagnosis('servers_disagree'), cached: null },
    ]);
    expect(message).toEqual({ message: 'What was seen.', action: 'What to do.' });
  });
});

describe('of two values at one name', () => {
  const domain = aDomain({ status: 'certificate_pending' });
  const server = { server: 'ns1.host.test', address: '192.0.2.1', state: 'mismatch' as const, values: ['value-1'] };
  const evidence = { ...EVIDENCE, verdict: 'absent' as const, servers: [server] };
  const diagnosis = { ...aDiagnosis('record_missing'), set: { type: 'TXT' as const, fqdn: EVIDENCE.fqdn, host: '_acme-challenge.shop', value: 'value-2' } };
  const authorizations = ['value-1', 'value-2'].map((txtValue) => anAuthorization({ txtValue, evidence, diagnosis }));

  it('the one that is there is not called missing', () => {
    const shown = presentDnsRecords(domain, anOrder({ authorizations }), null).map(({ value, state, observed }) => [value, state, observed[0]?.state]);
    expect(shown).toEqual([['value-1', 'ready', 'match'], ['value-2', 'record_missing', 'mismatch']]);
  });
});

describe('the reason of an order whose value is on its way to our own name servers', () => {
  it('has nobody act, and is no trouble of the domain', () => {
    const reason = { code: 'dns_not_ready', detail: 'Our own name servers have not got the value yet.' } as const;
    const onItsWay = anOrder({ reason, authorizations: [anAuthorization({ evidence: { ...EVIDENCE, via: [`label-1.${ACME_ZONE}`] } })] });
    expect(presentOrder(onItsWay).reason).toMatchObject({ code: 'dns_not_ready', actor: 'nobody' });
    const state = { order: onItsWay, certificate: null, renewal: null, version: '1', acmeZone: ACME_ZONE };
    expect(presentDomainInFull(aDomain({ status: 'certificate_pending' }), state).status_reason).toBeNull();
    const missing = { ...onItsWay, authorizations: [anAuthorization({ evidence: EVIDENCE, diagnosis: aDiagnosis('record_missing') })] };
    expect(presentOrder(missing).reason).toMatchObject({ actor: 'customer' });
    expect(presentDomainInFull(aDomain({ status: 'certificate_pending' }), { ...state, order: missing }).status_reason).toBe(reason.detail);
  });
});

describe('what a check comes down to before a domain is verified', () => {
  const look = (purpose: CheckedRecord['purpose'], code: Diagnosis['code']): CheckedRecord => ({
    purpose,
    fqdn: purpose === 'delegation' ? EVIDENCE.fqdn : '_certwright-challenge.shop.customer.test',
    expected: ['expected'],
    evidence: EVIDENCE,
    diagnosis: { ...aDiagnosis(code), message: `${code}.`, action: `Mend ${code}.` },
    cached: null,
  });

  it('offers both ways where nothing is there yet', () => {
    const { message, action } = presentOutcome(aDomain(), [look('delegation', 'delegation_missing'), look('ownership', 'record_missing')]);
    expect(message).toBe('delegation_missing. record_missing.');
    expect(action).toBe('One of the two is enough. Mend delegation_missing. Or, for this time: Mend record_missing.');
  });

  it('says what is wrong with the way that was begun', () => {
    expect(presentOutcome(aDomain(), [look('delegation', 'delegation_missing'), look('ownership', 'other_value')]).action).toBe('Mend other_value.');
  });

  it('says what comes next where the token is there', () => {
    expect(presentOutcome(aDomain(), [look('delegation', 'delegation_missing'), look('ownership', 'ready')]).action).toMatch(/verify\.$/);
  });
});

describe('last_error of a renewal', () => {
  const reason = { code: 'dns_not_ready', detail: 'Our own name servers have not got the value yet.' } as const;
  const lastErrorWith = (order: Partial<Order>, lastError: Renewal['lastError'] = null) =>
    presentDomainInFull(aDomain({ status: 'active' }), {
      order: anOrder({ neededBy: new Date('2026-12-01T00:00:00Z'), reason, ...order }),
      certificate: null,
      renewal: { window: { start: new Date(0), end: new Date(0) }, renewAt: null, notAfter: new Date(0), manual: false, failures: 0, lastError, explanationUrl: null } as Renewal,
      version: '1',
      acmeZone: ACME_ZONE,
    }).renewal.last_error;

  it.each([
    ['before the first look', null],
    ['after one that found nothing wrong', aDiagnosis('ready')],
  ])('is none while a value is on its way, %s', (_what, diagnosis) => {
    expect(lastErrorWith({ authorizations: [anAuthorization({ diagnosis })] })).toBeNull();
  });

  it('says what is wrong with one of several names', () => {
    const authorizations = [anAuthorization({ diagnosis: aDiagnosis('ready') }), anAuthorization({ diagnosis: aDiagnosis('delegation_missing') })];
    expect(lastErrorWith({ authorizations })).toEqual(reason);
  });

  it('says what holds up an order that is past its records', () => {
    expect(lastErrorWith({ status: 'ready', reason: { code: 'acme_unreachable', detail: 'No answer.' } })).toMatchObject({ code: 'acme_unreachable' });
  });

  it('keeps what the attempt before has met while the next one is on its way', () => {
    expect(lastErrorWith({}, { code: 'acme_rejected', detail: 'No.' })).toMatchObject({ code: 'acme_rejected' });
  });
});
