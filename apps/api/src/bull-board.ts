import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Producer } from '@certwright/jobs';
import { type RequestHandler, Router } from 'express';
import { sameSecret } from './middleware/auth';

const USER = 'operator';

export interface DashboardOptions {
  queues: Producer['queues'];
  /** Of the user `operator`. */
  password: string;
  /** Whether jobs may be retried, promoted and removed. */
  allowWrites: boolean;
}

/** Bull Board at `/admin/queues`. It has no guard of its own, and would load its fonts from elsewhere. */
export function createDashboard({ queues, password, allowWrites }: DashboardOptions): Router {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/admin/queues');
  createBullBoard({
    queues: queues.map((queue) => {
      const adapter = new BullMQAdapter(queue, { readOnlyMode: !allowWrites });
      adapter.setFormatter('data', idsOf);
      return adapter;
    }),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Certwright', hideRedisDetails: true } },
  });
  const router = Router();
  router.use(basicAuth(password), sameOriginWrites, contentPolicy, serverAdapter.getRouter() as RequestHandler);
  return router;
}

const SHOWN = ['tenantId', 'orderId', 'requestId'];

/** Jobs carry ids alone; whatever else should get into a queue is not shown. */
const idsOf = (data: unknown): object =>
  Object.fromEntries(Object.entries(Object(data) as object).filter(([name]) => SHOWN.includes(name)));

const basicAuth =
  (password: string): RequestHandler =>
  (request, response, next) => {
    const [, encoded = ''] = /^Basic +(\S+)$/i.exec(request.get('authorization') ?? '') ?? [];
    if (sameSecret(Buffer.from(encoded, 'base64').toString(), `${USER}:${password}`)) {
      next();
      return;
    }
    response.status(401).set('WWW-Authenticate', 'Basic realm="certwright", charset="UTF-8"').end();
  };

/** The browser sends the password along whoever's page makes the request. */
const sameOriginWrites: RequestHandler = (request, response, next) => {
  const origin = request.get('origin');
  const isForeign = origin !== undefined && hostOf(origin) !== request.get('host');
  if (isForeign && request.method !== 'GET' && request.method !== 'HEAD') {
    response.status(403).end();
    return;
  }
  next();
};

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

const contentPolicy: RequestHandler = (_request, response, next) => {
  response.set(
    'Content-Security-Policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
      "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
  );
  next();
};
