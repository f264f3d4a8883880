import { type DnsDoctor, terminal } from '@certwright/core';
import type { HealthChecks, Logger, Metrics } from '@certwright/runtime';
import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { docsRoutes } from './docs';
import { bearerAuth } from './middleware/auth';
import { notFound, problems } from './middleware/errors';
import { requestId } from './middleware/request-id';
import { timed } from './middleware/timed';
import { certificateRoutes, type CertificateRouteDeps } from './routes/certificates';
import { dnsRoutes } from './routes/dns';
import { domainRoutes, type DomainRouteDeps } from './routes/domains';
import { eventRoutes } from './routes/events';
import { domainFinder } from './routes/find-domain';
import { healthRoutes } from './routes/health';
import { metricsRoutes } from './routes/metrics';
import { orderRoutes } from './routes/orders';
import { setupLinkRoutes, setupPageRoutes } from './routes/setup';
import type { SetupLinks } from './setup-link';

export interface AppDeps extends DomainRouteDeps, CertificateRouteDeps {
  dnsDoctor: DnsDoctor;
  setupLinks: SetupLinks;
  publicUrl: string | null;
  logger: Logger;
  health: HealthChecks;
  metrics: Metrics;
  /** Null, in development only: no key is asked for. */
  authToken: string | null;
  /** At `/admin/queues`, with its own guard; null: there is none. */
  dashboard: Router | null;
}

const BODY_LIMIT = '64kb';

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // answers change by the second; a 304 for a status would only confuse
  app.use(requestId(deps.logger), timed(deps.metrics));
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(healthRoutes(deps.health));
  app.use(docsRoutes(), setupPageRoutes(deps));
  if (deps.dashboard) app.use('/admin/queues', deps.dashboard);
  app.use(bearerAuth(deps.authToken), metricsRoutes(deps.metrics), jsonOnly, express.json({ limit: BODY_LIMIT }));
  const find = domainFinder(deps);
  app.use(domainRoutes(deps, find), dnsRoutes(deps, find), setupLinkRoutes(deps, find), eventRoutes(deps, find), orderRoutes(deps), certificateRoutes(deps));
  app.use(notFound);
  app.use(problems(deps.logger));
  return app;
}

/** A body of another type would be taken for no body at all. */
const jsonOnly: RequestHandler = (request, _response, next) => {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.get('content-length') ?? 0) > 0;
  if (hasBody && !request.is('json')) {
    throw terminal('unsupported_media_type', 'The body must be JSON: send "Content-Type: application/json".');
  }
  next();
};
