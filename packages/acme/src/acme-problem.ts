import type { IncomingHttpHeaders } from 'node:http';
import { type AcmeProblemDocument, type PauseScope, type Problem, registeredDomain, terminal, transient, waitFor } from '@certwright/core';

/** Which request an answer belongs to: the same problem means different things at different steps. */
export type AcmeStep =
  | 'directory'
  | 'nonce'
  | 'new-account'
  | 'new-order'
  /** A newOrder that names the certificate it replaces (RFC 9773 section 5). */
  | 'replacing-order'
  | 'renewal-info'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate';

const RATE_LIMIT_WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 5_000;
/** How often to see whether the operator has mended the account. */
const ACCOUNT_REFUSED_WAIT_MS = 600_000;
/** No CA means longer; more is a typing error or an attack. */
const MAX_RETRY_AFTER_MS = 7 * 86_400_000;
const MAX_DETAIL_CHARS = 1_000;
const MAX_SUBPROBLEMS = 100;
const URN = 'urn:ietf:params:acme:error:';

const ASKED_FOR: Record<AcmeStep, string> = {
  directory: 'the directory',
  nonce: 'a nonce',
  'new-account': 'the account',
  'new-order': 'the order',
  'replacing-order': 'the order',
  'renewal-info': 'the renewal information',
  order: "the order's state",
  authorization: "the authorization's state",
  challenge: 'the validation',
  finalize: 'the certificate',
  certificate: 'the certificate download',
};

/** Steps at which "no such thing" means that the order, or a part of it, no longer exists at the CA. */
const GONE_ON_404: readonly AcmeStep[] = ['order', 'authorization', 'challenge', 'finalize'];
const GONE_ON_MALFORMED: readonly AcmeStep[] = ['order', 'authorization'];
/** An order that is another account's: ours was registered anew. */
const GONE_ON_UNAUTHORIZED: readonly AcmeStep[] = ['order', 'authorization', 'challenge'];

/** What a CA says of the account, whatever is ordered: no customer could mend it, so no order fails for it at once. */
const ABOUT_THE_ACCOUNT = [
  'userActionRequired',
  'externalAccountRequired',
  'invalidContact',
  'unsupportedContact',
  'badPublicKey',
  'badSignatureAlgorithm',
];
/** Who is refused here is refused whatever they want to order. */
const BEFORE_ANY_ORDER: readonly AcmeStep[] = ['directory', 'nonce', 'new-account'];
const ORDER_STEPS: readonly AcmeStep[] = ['new-order', 'replacing-order'];
const ACCOUNT_STEPS: readonly AcmeStep[] = ['new-account', ...ORDER_STEPS];
/** What may be about the certificate that is replaced, and not about the order: another account's, or one the CA has no record of. */
const ABOUT_THE_REPLACED = ['alreadyReplaced', 'unauthorized', 'malformed', 'conflict'];

/**
 * What an answer that is not the expected one means for the order (RFC 8555 section 6.7); docs/acme-problems.md has the
 * table. `names`: the identifiers a newOrder was sent for. `now` in ms since 1970.
 */
export function problemFromReply(
  reply: { status: number; headers: IncomingHttpHeaders; body: string },
  step: AcmeStep,
  { names = [], now = Date.now() }: { names?: string[]; now?: number } = {},
): Problem {
  const { status } = reply;
  const acme = acmeDocument(tryJson(reply.body), status);
  const kind = acme?.type.startsWith(URN) ? acme.type.slice(URN.length) : null;
  const retryAfterMs = retryAfter(reply.headers, now);
  const options = { ...(acme !== null && { acme }), ...(retryAfterMs !== null && { retryAfterMs }) };
  const words = acme === null ? `HTTP status ${status}` : acme.detail;
  const asked = ASKED_FOR[step];

  if (status === 429 || kind === 'rateLimited') {
    const wait = retryAfterMs ?? RATE_LIMIT_WAIT_MS;
    const pause = rateLimitScope(acme, step, names);
    return waitFor('acme_rate_limited', `The CA limits the rate of requests: ${words}`, wait, { ...options, pause });
  }
  if (kind === 'badNonce') {
    return transient('acme_server_error', `The CA refused one nonce after the other when asked for ${asked}.`, options);
  }
  if (status === 503 && retryAfterMs !== null) {
    const detail = `The CA is too busy for ${asked}: ${words}`;
    return waitFor('acme_server_error', detail, retryAfterMs, { ...options, pause: 'account' });
  }
  if (status >= 500 || status === 408 || status === 425 || kind === 'serverInternal') {
    return transient('acme_server_error', `The CA failed when asked for ${asked}: ${words}`, options);
  }
  if (kind === 'accountDoesNotExist') {
    return transient('acme_account_unknown', `The CA does not know the account: ${words}`, options);
  }
  if (step === 'replacing-order' && acme !== null && (status === 404 || status === 409 || (kind !== null && ABOUT_THE_REPLACED.includes(kind)))) {
    return terminal('acme_replaces_refused', `The CA refuses to have the certificate replaced: ${words}`, options);
  }
  if (kind === 'orderNotReady') {
    const wait = retryAfterMs ?? LOOK_AGAIN_MS;
    return waitFor('acme_pending', `The order is not ready at the CA: ${words}`, wait, options);
  }
  const refusesUs = acme !== null && status >= 400 && BEFORE_ANY_ORDER.includes(step);
  if (refusesUs || (kind !== null && isAboutTheAccount(kind, step))) {
    const detail = refusesUs ? `The CA refuses ${asked}: ${words}` : `The CA refuses the account: ${words}`;
    return waitFor('acme_account_refused', detail, retryAfterMs ?? ACCOUNT_REFUSED_WAIT_MS, { ...options, pause: 'orders' });
  }
  // A proxy's 404 page must not end an order: only the CA's own answer, a problem document or an empty body, does.
  const absent = status === 404 && (acme !== null || reply.body.trim() === '');
  if (
    (absent && GONE_ON_404.includes(step)) ||
    (kind === 'malformed' && GONE_ON_MALFORMED.includes(step)) ||
    (kind === 'unauthorized' && GONE_ON_UNAUTHORIZED.includes(step))
  ) {
    return transient('acme_order_gone', `The CA no longer has the order: ${words}`, options);
  }
  // The challenge was answered before, or the authorization is settled: reading the authorization again tells.
  if (step === 'challenge' && (kind === 'malformed' || status === 409)) {
    const wait = retryAfterMs ?? LOOK_AGAIN_MS;
    return waitFor('acme_pending', `The CA did not start the validation: ${words}`, wait, options);
  }
  if (acme === null || status < 400) {
    const detail = `The CA answered with HTTP status ${status} and no problem document when asked for ${asked}.`;
    return transient('acme_bad_response', detail, options);
  }
  // It has been issued: whatever the CA says now, giving it up would throw it away.
  if (step === 'certificate') return transient('acme_server_error', `The CA does not hand out the certificate: ${words}`, options);
  return terminal('acme_rejected', `The CA refused ${asked}: ${words}`, options);
}

function isAboutTheAccount(kind: string, step: AcmeStep): boolean {
  if (kind === 'userActionRequired') return true;
  return ACCOUNT_STEPS.includes(step) && (ABOUT_THE_ACCOUNT.includes(kind) || kind === 'unauthorized');
}

/**
 * No field says whom a limit is for: a refused newOrder that speaks of one of its names is for these names, another one for all
 * new orders; at any other step it is the number of requests that is limited.
 */
function rateLimitScope(acme: AcmeProblemDocument | null, step: AcmeStep, names: string[]): PauseScope {
  if (!ORDER_STEPS.includes(step)) return 'account';
  const aboutNames = [...names, ...names.map(registeredDomain)].some((name) => acme?.detail.toLowerCase().includes(name));
  const hasIdentifier = acme?.subproblems?.some(({ identifier }) => identifier !== undefined) ?? false;
  return aboutNames || hasIdentifier ? 'names' : 'orders';
}

export const badResponse = (detail: string): Problem =>
  transient('acme_bad_response', `The CA's answer makes no sense: ${detail}.`);

/** No answer at all: DNS, TCP, TLS, or a connection lost halfway. */
export function unreachable(host: string, error: Error): Problem {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|DEPTH_ZERO/.test(code);
  const hint = untrusted ? "; the server's TLS certificate is not trusted" : '';
  return transient('acme_unreachable', `The CA at ${host} cannot be reached (${code}${hint}).`, { cause: error });
}

export const timedOut = (host: string, timeoutMs: number): Problem =>
  transient('acme_unreachable', `The CA at ${host} did not answer within ${timeoutMs / 1000} s.`);

/**
 * `Retry-After` as a span in milliseconds (RFC 9110 section 10.2.3); null when absent or unreadable. A date is measured
 * against the answer's own `Date`, as our clock may be wrong.
 */
export function retryAfter(headers: IncomingHttpHeaders, now = Date.now()): number | null {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return null;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, MAX_RETRY_AFTER_MS);
  const at = value.endsWith('GMT') ? Date.parse(value) : NaN; // Date.parse makes a date of `-5` too
  if (Number.isNaN(at)) return null;
  const sent = Date.parse(headers.date ?? '');
  return Math.min(Math.max(0, at - (Number.isNaN(sent) ? now : sent)), MAX_RETRY_AFTER_MS);
}

/** A problem document (RFC 9457, RFC 8555 section 6.7.1), cut to a decent size; null when `value` is none. */
export function acmeDocument(value: unknown, httpStatus?: number): AcmeProblemDocument | null {
  if (!isObject(value) || (typeof value.type !== 'string' && typeof value.detail !== 'string')) return null;
  const status = typeof value.status === 'number' ? value.status : httpStatus;
  const subproblems = Array.isArray(value.subproblems) ? value.subproblems.slice(0, MAX_SUBPROBLEMS) : [];
  return {
    ...typeAndDetail(value),
    ...(status !== undefined && { status }),
    ...(subproblems.length > 0 && { subproblems: subproblems.filter(isObject).map(subproblem) }),
  };
}

type Subproblem = NonNullable<AcmeProblemDocument['subproblems']>[number];

function subproblem(value: Record<string, unknown>): Subproblem {
  const { identifier } = value;
  const named = isObject(identifier) && typeof identifier.type === 'string' && typeof identifier.value === 'string';
  return {
    ...typeAndDetail(value),
    ...(named && { identifier: { type: clean(String(identifier.type)), value: clean(String(identifier.value)) } }),
  };
}

const typeAndDetail = ({ type, detail }: Record<string, unknown>): { type: string; detail: string } => ({
  type: typeof type === 'string' ? clean(type) : 'about:blank',
  detail: typeof detail === 'string' ? clean(detail) : 'no detail given',
});

/** The CA's words on one line, without what looks like a JWS or a key authorization. */
function clean(text: string): string {
  return text
    .slice(0, MAX_DETAIL_CHARS)
    .replace(/\p{Cs}/gu, '\uFFFD') // PostgreSQL's JSON takes no half of a surrogate pair
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .replace(/[\w-]{16,}\.[\w-]{43}(?![\w-])|[\w+/=-]{100,}/g, '[removed]')
    .trim();
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined when `text` is no JSON. */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
