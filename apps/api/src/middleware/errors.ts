import { Problem, terminal, toProblem } from '@certwright/core';
import type { Logger } from '@certwright/runtime';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { toDocument } from '../problem-document';
import { contextOf, logFieldsOf } from '../request-context';

export const notFound: RequestHandler = (request) => {
  throw terminal('not_found', `There is nothing at ${request.path.slice(0, 200)}.`);
};

/** Every error of every route ends here, and leaves as a problem document. */
export const problems =
  (logger: Logger): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    const problem = fromBodyParser(error) ?? toProblem(error);
    const document = toDocument(problem, contextOf(request).requestId);
    const about = logFieldsOf(request);
    if (document.status >= 500) logger.error('a request failed', { ...about, code: problem.code, error });
    else logger.debug('a request was refused', { ...about, code: problem.code, detail: problem.message });
    if (response.headersSent) {
      next(error);
      return;
    }
    if (document.retry_after !== undefined) response.set('Retry-After', String(document.retry_after));
    response.status(document.status).type('application/problem+json').send(JSON.stringify(document));
  };

/** body-parser and the router throw http-errors, told apart by their `type` and `status`. */
function fromBodyParser(error: unknown): Problem | null {
  if (error instanceof Problem || typeof error !== 'object' || error === null) return null;
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === 'entity.too.large') return terminal('payload_too_large', 'The body is larger than 64 kB.');
  if (type === 'entity.parse.failed') return terminal('malformed_request', 'The body is not JSON.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return terminal('unsupported_media_type', 'The body must be JSON in UTF-8.');
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return terminal('malformed_request', 'The request cannot be read.');
  }
  return null;
}
