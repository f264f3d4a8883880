import { isNativeError } from 'node:util/types';

/** What a log line may hold: plain data, bounded, without secrets. */

const SECRET_NAME = /token|secret|password|authorization|cookie|pem$|^key$|private|masterkey|sealed|csr$|credential/i;
const PEM_BLOCK = /-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]+/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]+@/gi;

const REDACTED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_STRING = 4_000;
const MAX_ITEMS = 50;

export const redactText = (text: string): string => {
  const safe = text
    .replace(PEM_BLOCK, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_PASSWORD, `$1:${REDACTED}@`);
  return safe.length > MAX_STRING ? `${safe.slice(0, MAX_STRING)}…` : safe;
};

/** A copy of `value` that is safe to print. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return String(typeof value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toJSON();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (isNativeError(value)) return redactError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([name, item]) => [name, redactMember(name, item, depth + 1)]));
}

const redactMember = (name: string, value: unknown, depth: number): unknown =>
  SECRET_NAME.test(name) && value !== null && value !== undefined ? REDACTED : redact(value, depth);

/** Errors keep what helps at night; other members (requests, configurations) stay out. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code, cause } = error as Error & { code?: unknown };
  return {
    name: error.name,
    message: redactText(error.message),
    ...(code !== undefined && { code: redact(code, depth + 1) }),
    ...(error.stack && { stack: redactText(error.stack) }),
    ...(cause !== undefined && { cause: redact(cause, depth + 1) }),
  };
}
