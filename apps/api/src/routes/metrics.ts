import type { Metrics } from '@certwright/runtime';
import { Router } from 'express';
import { methods } from '../methods';

/** For Prometheus, which sends the API's key as any client does. */
export function metricsRoutes(metrics: Pick<Metrics, 'text' | 'contentType'>): Router {
  const router = Router();
  methods(router, '/metrics', {
    async get(_request, response) {
      response.type(metrics.contentType).send(await metrics.text());
    },
  });
  return router;
}
