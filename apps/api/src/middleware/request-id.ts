import { randomUUID } from 'node:crypto';
import { type Logger, withLogContext } from '@certwright/runtime';
import type { RequestHandler } from 'express';
import { setContext } from '../request-context';

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
    withLogContext({ requestId: id }, () => {
      response.on('finish', () => {
        const { method } = request;
        const path = request.path.replace(SECRET_PATH, '$1[removed]');
        const level = path === '/healthz' || path === '/readyz' ? 'debug' : 'info';
        logger.log(level, 'request', { method, path, status: response.statusCode, ms: Math.round(performance.now() - startedAt) });
      });
      next();
    });
  };
