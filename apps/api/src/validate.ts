import { terminal } from '@certwright/core';
import type { ObjectSchema } from 'joi';

const pointerTo = (path: (string | number)[]): string => path.map((part) => `/${part}`).join('');

/** @throws Problem `validation_failed` (or `malformed_request` for a query) with a pointer to each wrong member */
export function validate<T>(schema: ObjectSchema<T>, input: unknown, what: 'body' | 'query' = 'body'): T {
  const { value, error } = schema.validate(input, { abortEarly: false, errors: { wrap: { label: false } } });
  if (!error) return value;
  const errors = error.details.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
  const detail = `The ${what} is not acceptable: ${errors.map((one) => one.detail).join('; ')}.`;
  throw terminal(what === 'query' ? 'malformed_request' : 'validation_failed', detail, { errors });
}
