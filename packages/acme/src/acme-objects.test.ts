import { rootCertificates } from 'node:tls';
import { locationOf, parseAuthorization, parseChain, parseDirectory, parseOrder } from './acme-objects';

const BASE = 'https://ca.example/order/1';
const reply = (value: unknown, headers = {}) => ({ status: 200, headers, body: JSON.stringify(value) });
const badResponse = expect.objectContaining({ code: 'acme_bad_response', disposition: 'transient' });

const order = {
  status: 'pending',
  expires: '2026-03-01T00:00:00Z',
  authorizations: ['https://other.example/authz/1'],
  finalize: 'https://ca.example/finalize/1',
};
const challenge = { type: 'dns-01', url: 'https://ca.example/chall/1', status: 'pending', token: 'abc_-9' };
const authorization = {
  identifier: { type: 'dns', value: 'Shop.example' },
  status: 'pending',
  challenges: [{ type: 'http-01', anything: true }, challenge],
};

describe('parseOrder', () => {
  it('reads an order, with the reason it failed for and the time to look again', () => {
    const error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids' };
    expect(parseOrder(reply({ ...order, status: 'invalid', error }, { 'retry-after': '3' }), BASE)).toEqual({
      url: BASE,
      status: 'invalid',
      authorizationUrls: ['https://other.example/authz/1'],
      finalizeUrl: 'https://ca.example/finalize/1',
      certificateUrl: null,
      expires: new Date('2026-03-01T00:00:00Z'),
      error,
      retryAfterMs: 3_000,
    });
  });

  it.each([
    ['an unknown status', { ...order, status: 'done' }],
    ['no list of authorizations', { ...order, authorizations: undefined }],
    ['an authorization that is no URL', { ...order, authorizations: ['/authz/1'] }],
    ['an endless list of authorizations', { ...order, authorizations: Array(1_001).fill('https://ca.example/a') }],
    ['a finalize URL without TLS', { ...order, finalize: 'http://ca.example/finalize/1' }],
    ['a finalize URL of a strange scheme', { ...order, finalize: 'file:///etc/passwd' }],
    ['a valid status and no certificate', { ...order, status: 'valid' }],
    ['a certificate URL that is none', { ...order, status: 'valid', certificate: 7 }],
    ['a list', [order]],
  ])('refuses an order with %s', (_, value) => {
    expect(() => parseOrder(reply(value), BASE)).toThrow(badResponse);
  });
});

describe('parseAuthorization', () => {
  it('reads the name in lower case and the DNS challenge, whatever else is offered', () => {
    expect(parseAuthorization(reply({ ...authorization, wildcard: true }), BASE)).toEqual({
      url: BASE,
      identifier: 'shop.example',
      wildcard: true,
      status: 'pending',
      expires: null,
      dns01: { url: 'https://ca.example/chall/1', status: 'pending', token: 'abc_-9', error: null },
      retryAfterMs: null,
    });
    expect(parseAuthorization(reply({ ...authorization, challenges: [] }), BASE).dns01).toBeNull();
  });

  it.each([
    ['for an address', { ...authorization, identifier: { type: 'ip', value: '192.0.2.1' } }],
    ['with an unknown status', { ...authorization, status: 'ready' }],
    ['without challenges', { ...authorization, challenges: null }],
    ['with a token that is more than one', { ...authorization, challenges: [{ ...challenge, token: 'a.b' }] }],
    ['with an unknown challenge status', { ...authorization, challenges: [{ ...challenge, status: 'ready' }] }],
    ['with a challenge without TLS', { ...authorization, challenges: [{ ...challenge, url: 'http://ca.example/' }] }],
  ])('refuses an authorization %s', (_, value) => {
    expect(() => parseAuthorization(reply(value), BASE)).toThrow(badResponse);
  });
});

describe('parseDirectory', () => {
  it('refuses a directory that lacks a resource', () => {
    const directory = { newNonce: 'https://ca.example/n', newOrder: 'https://ca.example/o' };
    expect(() => parseDirectory(reply(directory), BASE)).toThrow(badResponse);
  });
});

describe('locationOf', () => {
  it('resolves a relative one, and refuses what leaves TLS or is missing', () => {
    const at = (location?: string) => locationOf(reply({}, { location }), BASE, 'the order');
    expect(at('/order/2')).toBe('https://ca.example/order/2');
    expect(() => at('http://ca.example/order/2')).toThrow(badResponse);
    expect(() => at(undefined)).toThrow(badResponse);
    expect(() => at('https://')).toThrow(badResponse);
  });
});

describe('parseChain', () => {
  const [first = '', second = ''] = rootCertificates.map((pem) => `${pem}\n`);
  const block = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;

  it('takes certificates and nothing else', () => {
    const chain = first + second;
    const text = (body: string) => ({ status: 200, headers: {}, body });
    expect(parseChain(text(chain))).toBe(chain);
    expect(() => parseChain(text(''))).toThrow(badResponse);
    expect(() => parseChain(text(chain + block('PRIVATE KEY')))).toThrow(badResponse);
    expect(() => parseChain(text(first + block('CERTIFICATE')))).toThrow(badResponse);
    for (const cut of [20, 200, second.length - 10]) expect(() => parseChain(text(chain.slice(0, first.length + cut)))).toThrow(badResponse);
  });
});
