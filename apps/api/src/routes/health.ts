import { checkHealth, type HealthChecks } from '@certwright/runtime';
import { Router } from 'express';
import { methods } from '../methods';

export function healthRoutes(checks: HealthChecks): Router {
  const router = Router();
  methods(router, '/healthz', {
    async get(_request, response) {
      response.json({ status: 'ok' });
    },
  });
  methods(router, '/readyz', {
    async get(_request, response) {
      const health = await checkHealth(checks);
      response.status(health.ok ? 200 : 503).json(health);
    },
  });
  return router;
}
