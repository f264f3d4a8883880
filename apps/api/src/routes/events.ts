import { type Domain, type DomainStore, type EventStore, type EventWatch, watchDomain, WATCHED_MS } from '@certwright/core';
import type { CheckDomainDeps } from '@certwright/core';
import { type Request, type Response, Router } from 'express';
import Joi from 'joi';
import { methods } from '../methods';
import { presentEvent } from '../present';
import { validate } from '../validate';
import type { FindDomain } from './find-domain';

export interface EventRouteDeps extends Pick<CheckDomainDeps, 'orders' | 'jobs'> {
  domains: Pick<DomainStore, 'get'>;
  events: EventStore;
  news: EventWatch;
}

interface EventsQuery {
  after?: string;
  limit: number;
}

const EVENT_ID = /^\d{1,18}$/;

export const eventsQuery = Joi.object<EventsQuery, true>({
  after: Joi.string().pattern(EVENT_ID, 'an event id').description('Events after this one, oldest first; without it, the newest.'),
  limit: Joi.number().integer().min(1).max(100).default(50),
});

/** Proxies close connections on which nothing is said for a minute. */
const HEARTBEAT_MS = 15_000;

/** A stream is taken up again by `Last-Event-ID`; nothing is lost at its end. */
const MAX_STREAM_MS = 3_600_000;

export function eventRoutes(deps: EventRouteDeps, find: FindDomain): Router {
  const router = Router();
  methods(router, '/domains/:id/events', {
    async get(request, response) {
      const domain = await find(request);
      const query = validate(eventsQuery, request.query, 'query');
      if (request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
        await stream(deps, domain, { request, response, after: query.after });
        return;
      }
      const events = await deps.events.ofDomain(domain.tenantId, domain.id, query);
      response.json({ data: events.map(presentEvent), last_id: events.at(-1)?.id ?? query.after ?? null });
    },
  });
  return router;
}

/** Server-sent events (WHATWG HTML section 9.2): what has happened so far, or since `Last-Event-ID`, then what happens. */
async function stream(
  deps: EventRouteDeps,
  domain: Domain,
  { request, response, after }: { request: Request; response: Response; after: string | undefined },
): Promise<void> {
  const lastId = request.get('last-event-id');
  let last = lastId !== undefined && EVENT_ID.test(lastId) ? lastId : after;
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  if (response.destroyed) return; // gone before there was anybody to hear of it
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  const endAt = performance.now() + MAX_STREAM_MS;
  let watchedAt = -Infinity;
  while (!closed.signal.aborted && !deps.news.isClosed && performance.now() < endAt) {
    if (performance.now() - watchedAt > WATCHED_MS / 2) {
      await watchDomain(deps, domain);
      watchedAt = performance.now();
    }
    if ((await deps.domains.get(domain.tenantId, domain.id)) === null) break;
    const events = await deps.events.ofDomain(domain.tenantId, domain.id, { ...(last !== undefined && { after: last }), limit: 100 });
    for (const event of events) response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(presentEvent(event))}\n\n`);
    if (events.length === 0) response.write(': still here\n\n');
    last = events.at(-1)?.id ?? last ?? '0';
    await deps.news.untilNews(domain.id, last, { timeoutMs: HEARTBEAT_MS, signal: closed.signal });
  }
  response.end();
}
