import type { Metrics } from '@certwright/runtime';
import type { RequestHandler } from 'express';

/** Counts and times every request by its route's pattern: a path would have ids in it. */
export const timed =
  (metrics: Pick<Metrics, 'httpRequest'>): RequestHandler =>
  (request, response, next) => {
    const startedAt = performance.now();
    response.once('close', () => {
      const { route } = request as { route?: { path?: unknown } };
      const pattern = typeof route?.path === 'string' ? route.path : 'none';
      metrics.httpRequest(request.method, pattern, response.statusCode, performance.now() - startedAt);
    });
    next();
  };
