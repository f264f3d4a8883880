import { readFileSync } from 'node:fs';
import path from 'node:path';
import { adviceOn } from '@certwright/core';
import { badResponse, problemFromReply, type AcmeStep } from './acme-problem';

const DOC = path.resolve(__dirname, '../../../docs/acme-problems.md');
const NAME = 'shop.customer.example';

const rows = readFileSync(DOC, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d{3} \|/.test(line))
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
  .map(([status = '', type = '', step = '', code = '', then = '', holdsUp = '', actor = '']) => ({ status: Number(status), type, step, code, then, holdsUp, actor }));

function meaningOf({ status, type, step }: (typeof rows)[number]) {
  if (type === 'nonsense') return badResponse('no JSON');
  const [, kind] = /^(\w+)/.exec(type) ?? [];
  const detail = type.includes('about a name') ? `too many certificates for ${NAME}` : 'no';
  const body = kind === undefined ? '' : JSON.stringify({ type: `urn:ietf:params:acme:error:${kind}`, detail });
  const headers = type.includes('with Retry-After') ? { 'retry-after': '7' } : {};
  return problemFromReply({ status, headers, body }, step as AcmeStep, { names: [NAME] });
}

/** As the document words it. */
function inWords(problem: ReturnType<typeof meaningOf>): string[] {
  const { code, disposition, retryAfterMs, pause } = problem;
  const isGone = code === 'acme_order_gone' || code === 'acme_account_unknown';
  const then = { terminal: 'fail', transient: isGone ? 'new order' : 'retry', reorder: 'new order', wait: `wait ${(retryAfterMs ?? 0) / 1000} s` };
  return [code, code === 'acme_replaces_refused' ? 'without' : then[disposition], pause ?? '', adviceOn(problem, disposition === 'terminal' && code !== 'acme_replaces_refused').actor];
}

it('has every type of RFC 8555 section 6.7 that an order can meet, and RFC 9773’s', () => {
  const types = new Set(rows.map(({ type }) => /^\w+/.exec(type)?.[0]));
  const known = [
    ...['accountDoesNotExist', 'badCSR', 'badNonce', 'badPublicKey', 'badSignatureAlgorithm', 'caa', 'compound', 'connection', 'dns'],
    ...['externalAccountRequired', 'incorrectResponse', 'invalidContact', 'malformed', 'orderNotReady', 'rateLimited', 'rejectedIdentifier'],
    ...['serverInternal', 'tls', 'unauthorized', 'unsupportedContact', 'unsupportedIdentifier', 'userActionRequired', 'alreadyReplaced'],
  ];
  expect(known.filter((type) => !types.has(type))).toEqual([]);
});

it('is not the customer who mends a key that the CA has refused, wherever it says so', () => {
  const acme = { type: 'urn:ietf:params:acme:error:badCSR', detail: 'weak key', status: 400 };
  expect(adviceOn({ code: 'acme_order_invalid', acme }, true).actor).toBe('platform');
  expect(adviceOn({ code: 'acme_order_invalid', acme: { ...acme, type: 'urn:ietf:params:acme:error:caa' } }, true).actor).toBe('customer');
});

it.each(rows)('$status $type at $step: $code, $then', (row) => {
  expect(inWords(meaningOf(row))).toEqual([row.code, row.then, row.holdsUp, row.actor]);
});

it('takes any word for a type', () => {
  const acme = { type: 'urn:ietf:params:acme:error:constructor', detail: 'no', status: 400 };
  expect(adviceOn({ code: 'acme_rejected', acme }, true).actor).toBe('customer');
});

it('blames nobody for what the CA could not find out, and nobody waits for an order that is over', () => {
  const acme = { type: 'urn:ietf:params:acme:error:serverInternal', detail: 'validation service is down', status: 500 };
  expect(adviceOn({ code: 'acme_challenge_failed', acme }, false).actor).toBe('nobody');
  expect(adviceOn({ code: 'acme_challenge_failed', acme }, true).actor).toBe('platform');
  expect(adviceOn({ code: 'acme_order_invalid' }, true).actor).toBe('platform');
  const advice = { actor: 'customer', action: 'Remove or mend that property.' } as const;
  expect(adviceOn({ code: 'caa_forbids_issuer', advice }, true)).toEqual(advice);
  expect(adviceOn({ code: 'dns_deadline_passed', advice: { actor: 'nobody', action: 'Wait.' } }, true).actor).toBe('platform');
});
