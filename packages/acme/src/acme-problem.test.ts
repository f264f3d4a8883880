import { acmeDocument, problemFromReply, retryAfter, unreachable, type AcmeStep } from './acme-problem';

const urn = (kind: string) => `urn:ietf:params:acme:error:${kind}`;
const documentOf = (kind: string, detail = 'the reason') => JSON.stringify({ type: urn(kind), detail });

interface Row {
  status: number;
  kind?: string;
  body?: string;
  step?: AcmeStep;
  means: [code: string, disposition: string, retryAfterMs?: number];
}

// RFC 8555 section 6.7, and what our orders make of it
const TABLE: Row[] = [
  { status: 429, kind: 'rateLimited', means: ['acme_rate_limited', 'wait', 60_000] },
  { status: 403, kind: 'rateLimited', means: ['acme_rate_limited', 'wait', 60_000] },
  { status: 429, body: 'slow down', means: ['acme_rate_limited', 'wait', 60_000] },
  { status: 500, kind: 'serverInternal', means: ['acme_server_error', 'transient'] },
  { status: 400, kind: 'serverInternal', means: ['acme_server_error', 'transient'] },
  { status: 502, body: '<html>Bad Gateway</html>', means: ['acme_server_error', 'transient'] },
  { status: 503, body: '', means: ['acme_server_error', 'transient'] },
  { status: 400, kind: 'badNonce', means: ['acme_server_error', 'transient'] },
  { status: 400, kind: 'accountDoesNotExist', means: ['acme_account_unknown', 'transient'] },
  { status: 404, body: '', step: 'order', means: ['acme_order_gone', 'transient'] },
  { status: 404, kind: 'malformed', step: 'finalize', means: ['acme_order_gone', 'transient'] },
  { status: 404, body: '', step: 'authorization', means: ['acme_order_gone', 'transient'] },
  { status: 404, body: '', step: 'challenge', means: ['acme_order_gone', 'transient'] },
  { status: 400, kind: 'malformed', step: 'order', means: ['acme_order_gone', 'transient'] },
  { status: 400, kind: 'malformed', step: 'authorization', means: ['acme_order_gone', 'transient'] },
  { status: 403, kind: 'unauthorized', step: 'order', means: ['acme_order_gone', 'transient'] },
  { status: 403, kind: 'unauthorized', step: 'finalize', means: ['acme_rejected', 'terminal'] },
  { status: 403, kind: 'unauthorized', step: 'new-order', means: ['acme_account_refused', 'wait', 600_000] },
  { status: 403, kind: 'userActionRequired', step: 'finalize', means: ['acme_account_refused', 'wait', 600_000] },
  ...['externalAccountRequired', 'invalidContact', 'unsupportedContact', 'badPublicKey', 'badSignatureAlgorithm'].map(
    (kind): Row => ({ status: 400, kind, step: 'new-account', means: ['acme_account_refused', 'wait', 600_000] }),
  ),
  { status: 404, body: '<html>nginx</html>', step: 'order', means: ['acme_bad_response', 'transient'] },
  { status: 404, kind: 'malformed', step: 'certificate', means: ['acme_server_error', 'transient'] },
  { status: 404, body: '', step: 'new-order', means: ['acme_bad_response', 'transient'] },
  { status: 400, kind: 'malformed', step: 'challenge', means: ['acme_pending', 'wait', 5_000] },
  { status: 409, kind: 'conflict', step: 'challenge', means: ['acme_pending', 'wait', 5_000] },
  { status: 403, kind: 'orderNotReady', step: 'finalize', means: ['acme_pending', 'wait', 5_000] },
  { status: 302, body: '', means: ['acme_bad_response', 'transient'] },
  { status: 403, body: '<html>blocked</html>', means: ['acme_bad_response', 'transient'] },
  { status: 400, kind: 'malformed', step: 'new-order', means: ['acme_rejected', 'terminal'] },
  ...['rejectedIdentifier', 'unsupportedIdentifier', 'caa', 'badCSR', 'invalidProfile', 'compound'].map(
    (kind): Row => ({ status: 403, kind, means: ['acme_rejected', 'terminal'] }),
  ),
];

describe('problemFromReply', () => {
  it.each(TABLE)('$status $kind $body at $step means $means', ({ status, kind, body, step, means }) => {
    const reply = { status, headers: {}, body: body ?? documentOf(kind ?? '') };
    const { code, disposition, retryAfterMs, acme } = problemFromReply(reply, step ?? 'new-order');
    expect([code, disposition, ...(retryAfterMs === undefined ? [] : [retryAfterMs])]).toEqual(means);
    expect(acme).toEqual(kind === undefined ? undefined : { type: urn(kind), detail: 'the reason', status });
  });

  it('passes on when the CA wants to be asked again, for every disposition that asks again', () => {
    const headers = { 'retry-after': '7' };
    const after = (status: number, kind: string) =>
      problemFromReply({ status, headers, body: documentOf(kind) }, 'finalize').retryAfterMs;
    expect([after(429, 'rateLimited'), after(503, 'serverInternal'), after(403, 'orderNotReady')]).toEqual([
      7_000, 7_000, 7_000,
    ]);
  });

  it('keeps the CA’s words and what it says of each name', () => {
    const body = JSON.stringify({
      type: urn('compound'),
      detail: 'Errors during validation',
      status: 403,
      subproblems: [
        { type: urn('caa'), detail: 'CAA forbids', identifier: { type: 'dns', value: 'a.example' }, extra: 1 },
        { type: urn('dns'), detail: 'NXDOMAIN' },
        'nonsense',
      ],
    });
    const problem = problemFromReply({ status: 403, headers: {}, body }, 'finalize');
    expect(problem.message).toBe('The CA refused the certificate: Errors during validation');
    expect(problem.acme).toEqual({
      type: urn('compound'),
      detail: 'Errors during validation',
      status: 403,
      subproblems: [
        { type: urn('caa'), detail: 'CAA forbids', identifier: { type: 'dns', value: 'a.example' } },
        { type: urn('dns'), detail: 'NXDOMAIN' },
      ],
    });
  });

  it('repeats neither a JWS nor a key authorization, and stays on one decent line', () => {
    const jws = Buffer.from('{"alg":"ES256", and so on: long enough to be told from a word, as all JWS are'.repeat(2))
      .toString('base64url');
    const keyAuthorization = `${'t'.repeat(22)}.${'k'.repeat(43)}`;
    const detail = `bad ${jws}\r\nand ${keyAuthorization}\u0000\u202e at ${'long '.repeat(1_000)}`;
    const reply = { status: 400, headers: {}, body: documentOf('badCSR', detail) };
    const { message, acme } = problemFromReply(reply, 'finalize');
    expect(message).toMatch(/^The CA refused the certificate: bad \[removed\] and \[removed\] +at long/);
    expect(message.length).toBeLessThan(1_100);
    expect(acme?.detail).not.toContain('tttt');
  });
});

describe('acmeDocument', () => {
  it.each([[null], ['text'], [[]], [{}], [{ detail: 5 }]])('makes nothing of %j', (value) => {
    expect(acmeDocument(value)).toBeNull();
  });

  it('fills in what a sparse document leaves out', () => {
    expect(acmeDocument({ type: urn('dns') })).toEqual({ type: urn('dns'), detail: 'no detail given' });
    expect(acmeDocument({ detail: 'no' }, 400)).toEqual({ type: 'about:blank', detail: 'no', status: 400 });
  });
});

describe('retryAfter', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');

  it.each([
    ['seconds', { 'retry-after': '120' }, 120_000],
    ['a date, by our clock if the answer has none', { 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, 30_000],
    [
      "a date, by the answer's clock and not by ours",
      { 'retry-after': 'Sun, 01 Mar 2026 13:00:30 GMT', date: 'Sun, 01 Mar 2026 13:00:00 GMT' },
      30_000,
    ],
    ['a date that has passed', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    ['an absurd number', { 'retry-after': '99999999999999999999' }, 7 * 86_400_000],
    ['nothing', {}, null],
    ['nonsense', { 'retry-after': 'soon' }, null],
    ['a negative number', { 'retry-after': '-5' }, null],
  ])('reads %s', (_, headers, ms) => {
    expect(retryAfter(headers, now)).toBe(ms);
  });
});

describe('unreachable', () => {
  it('says that it is a matter of trust when it is', () => {
    const error = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(unreachable('ca.example', error).message).toContain('not trusted');
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(unreachable('ca.example', refused)).toMatchObject({
      code: 'acme_unreachable',
      disposition: 'transient',
      message: 'The CA at ca.example cannot be reached (ECONNREFUSED).',
    });
  });
});
