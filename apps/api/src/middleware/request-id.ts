import { randomUUID } from 'node:crypto';
import type { Logger } from '@certwright/runtime';
import type { RequestHandler } from 'express';
import { logFieldsOf, setContext } from '../request-context';

/** What may come from outside and into the logs. */
const SANE = /^[A-Za-z0-9._-]{8,128}$/;

/** Whoever has the link of a setup page needs nothing else. */
const SECRET_PATH = /^(\/setup\/).+/;

export const requestId =
  (logger: Logger): RequestHandler =>
  (request, response, next) => {
    const given = request.get('x-request-id');
    const id = given !== undefined && SANE.test(given) ? given : randomUUID();
    setContext(request, { requestId: id, tenantId: '' });
    response.set('X-Request-Id', id);
    const startedAt = performance.now();
    response.on('finish', () => {
      const { method } = request;
      const path = request.path.replace(SECRET_PATH, '$1[removed]');
      const level = path === '/healthz' || path === '/readyz' ? 'debug' : 'info';
      const ms = Math.round(performance.now() - startedAt);
      logger.log(level, 'request', { ...logFieldsOf(request), method, path, status: response.statusCode, ms });
    });
    next();
  };
