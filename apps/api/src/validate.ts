import { terminal } from '@certwright/core';
import type { ObjectSchema } from 'joi';

/** RFC 6901 section 3: `~` and `/` inside a member's name are escaped. */
const pointerTo = (path: (string | number)[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** @throws Problem `validation_failed` (or `malformed_request` for a query) with a pointer to each wrong member */
export function validate<T>(schema: ObjectSchema<T>, input: unknown, what: 'body' | 'query' = 'body'): T {
  const result = schema.validate(input, { abortEarly: false, errors: { wrap: { label: false } } });
  if (!result.error) return result.value;
  const errors = result.error.details.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
  const detail = `The ${what} is not acceptable: ${errors.map((one) => one.detail).join('; ')}.`;
  throw terminal(what === 'query' ? 'malformed_request' : 'validation_failed', detail, { errors });
}
