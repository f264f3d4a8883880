import { certIdOf, parseRenewalInfo } from './renewal-info';

/** RFC 9773 appendix A. */
const EXAMPLE = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`;

const reply = (body: unknown, headers = {}) => ({ status: 200, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const window = { start: '2025-01-02T04:00:00Z', end: '2025-01-03T04:00:00Z' };

it('is the one of the RFC’s own example', () => {
  expect(certIdOf(EXAMPLE)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

it('reads the window, the explanation and when to ask again', () => {
  const info = parseRenewalInfo(reply({ suggestedWindow: window, explanationURL: 'https://acme.example.com/docs/ari' }, { 'retry-after': '21600' }));
  expect(info).toEqual({ start: new Date(window.start), end: new Date(window.end), explanationUrl: 'https://acme.example.com/docs/ari', retryAfterMs: 21_600_000 });
});

it.each([
  ['no JSON', '<html>'],
  ['no window', {}],
  ['half a window', { suggestedWindow: { start: window.start } }],
  ['no dates', { suggestedWindow: { start: 'soon', end: 'later' } }],
  ['a year that no database keeps', { suggestedWindow: { start: '-271821-05-01T00:00:00Z', end: window.end } }],
  ['a window that ends before it starts', { suggestedWindow: { start: window.end, end: window.start } }],
])('%s is no answer', (_what, body) => {
  expect(() => parseRenewalInfo(reply(body))).toThrow(expect.objectContaining({ code: 'acme_bad_response' }));
});

it('keeps no explanation that is not a page', () => {
  expect(parseRenewalInfo(reply({ suggestedWindow: window, explanationURL: 'javascript:alert(1)' })).explanationUrl).toBeNull();
});
