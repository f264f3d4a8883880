import { isNativeError } from 'node:util/types';

/** What a log line may hold: plain data, bounded, without secrets. */

const SECRET_NAME =
  /token|secret|passw|passphrase|authorization|cookie|credential|private|sealed|pem|csr|master_?key|key$/i;

// Each of these takes time linear in the text: a caller chooses the path that the request's line has.
const PEM_BLOCK = /-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g;
const BEARER = /(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi;
/** To the last `@` before the path, as URL parsers read it: a password, and a user, may have one. */
const URL_PASSWORD = /(:\/\/[^\s:/]*):[^\s/]+@/g;
/** `password=…` of a connection string or query, `"password":"…"` of JSON. */
const PAIR = /((?:passw(?:or)?d|passphrase|secret|token|key)(?:=|"\s?:\s?"))[^\s"&]+/gi;

/** What any of these begins with: most texts of a log have none of it, and are looked at once. */
const SUSPICIOUS = /-----BEGIN|bearer|basic|:\/\/|passw|passphrase|secret|token|key/i;

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_STRING = 4_000;
const MAX_ITEMS = 50;

export const redactText = (text: string): string => {
  const safe = SUSPICIOUS.test(text) ? withoutSecrets(text) : text;
  return safe.length > MAX_STRING ? `${safe.slice(0, MAX_STRING)}…` : safe;
};

const withoutSecrets = (text: string): string =>
  text
    .replace(PEM_BLOCK, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_PASSWORD, `$1:${REDACTED}@`)
    .replace(PAIR, `$1${REDACTED}`);

/** A copy of `value` that is safe to print. Never throws. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(typeof value);
  if (typeof value !== 'object' || value === null) return value;
  try {
    return redactObject(value, depth);
  } catch {
    // A getter or a proxy of somebody else's: what is being logged must not fail by that.
    return '[unreadable]';
  }
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Date) return value.toJSON();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (isError(value)) return redactError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [redactText(name), redactMember(name, item, depth + 1)]));
}

const redactMember = (name: string, value: unknown, depth: number): unknown =>
  SECRET_NAME.test(name) && value !== null && value !== undefined ? REDACTED : redact(value, depth);

/** A DOMException (what an AbortSignal's timeout throws) is no native error to Node 20. */
const isError = (value: object): value is Error =>
  isNativeError(value) || value instanceof Error || value instanceof DOMException;

/** Errors keep what helps at night; other members (requests, configurations) stay out. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code, cause, errors } = error as Error & { code?: unknown; errors?: unknown };
  return {
    name: redact(error.name, depth + 1),
    message: redact(error.message, depth + 1),
    ...(code !== undefined && { code: redact(code, depth + 1) }),
    ...(error.stack && { stack: redact(error.stack, depth + 1) }),
    ...(cause !== undefined && { cause: redact(cause, depth + 1) }),
    // A connection refused at each of a host's addresses is an AggregateError without a message of its own.
    ...(error.name === 'AggregateError' && Array.isArray(errors) && { errors: redact(errors, depth + 1) }),
  };
}
