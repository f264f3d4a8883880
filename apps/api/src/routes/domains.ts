import {
  changeDomain,
  type ChangeDomainDeps,
  createOrder,
  type CreateOrderDeps,
  DOMAIN_STATUSES,
  type Domain,
  type DomainStatus,
  type DomainStore,
  type EventStore,
  type EventWatch,
  type CertificateStore,
  type Order,
  type OrderReason,
  type OrderStore,
  type Problem,
  registerDomain,
  type RegisterDomainDeps,
  renewDomain,
  type RenewDomainDeps,
  type RenewalStore,
  terminal,
  transient,
  verifyDomain,
  type VerifyDomainDeps,
  watchDomain,
} from '@certwright/core';
import { type Response, Router } from 'express';
import Joi from 'joi';
import { methods } from '../methods';
import { type DomainState, presentDomain, presentDomainInFull, presentNewDomain, presentOrder } from '../present';
import { presentIssuing } from '../present-issuing';
import { contextOf } from '../request-context';
import { validate } from '../validate';
import type { FindDomain } from './find-domain';

export interface DomainRouteDeps extends RegisterDomainDeps, VerifyDomainDeps, CreateOrderDeps, ChangeDomainDeps, RenewDomainDeps {
  domains: DomainStore;
  orders: OrderStore;
  certificates: CertificateStore;
  renewals: RenewalStore;
  events: EventStore;
  news: EventWatch;
}

const hostname = Joi.string().allow('').max(1_024);
const moreNames = Joi.array<string[]>()
  .items(hostname)
  .max(1_000)
  .description('Further names of its certificate, wildcards among them, of the same registered domain.');
const auto = Joi.boolean().description('Verify it, and give it a certificate, as soon as its delegation (CNAME) is in place: no second call.');

export const newDomainBody = Joi.object<{ domain_name: string; names: string[]; auto: boolean }, true>({
  domain_name: hostname.required().description('A domain name such as shop.customer.com, or *.customer.com; Unicode is accepted.'),
  names: moreNames.default(() => []),
  auto: auto.default(false),
})
  .required()
  .label('body');

export const domainChangeBody = Joi.object<{ names?: string[]; auto?: boolean }, true>({ names: moreNames, auto })
  .min(1)
  .required()
  .label('body');

interface ListQuery {
  status?: DomainStatus;
  q?: string;
  limit: number;
  cursor?: string;
}

export const listQuery = Joi.object<ListQuery, true>({
  status: Joi.string().valid(...DOMAIN_STATUSES),
  // The store matches by LIKE, where % and _ would stand for anything.
  q: Joi.string()
    .max(253)
    .pattern(/^[A-Za-z0-9.-]+$/, 'a part of a name in its ASCII form')
    .description('A part of the name, in its ASCII form.'),
  limit: Joi.number().integer().min(1).max(100).default(50),
  cursor: Joi.string().max(128).description('next_cursor of the page before.'),
});

export const issueBody = Joi.object<{ ignore_caa: boolean }, true>({
  ignore_caa: Joi.boolean().default(false).description('Place the order though CAA records forbid the CA; it will most likely refuse.'),
}).label('body');

export const waitQuery = Joi.object<{ wait: number; since?: string }, true>({
  wait: Joi.number().integer().min(0).max(60).default(0).description('Answer when something has changed, or after this many seconds.'),
  since: Joi.string().pattern(/^\d{1,18}$/, 'a version').description('The version that is known; default: the present one.'),
});

const ORDERS_SHOWN = 100;

export function domainRoutes(deps: DomainRouteDeps, find: FindDomain): Router {
  const router = Router();

  methods(router, '/domains', {
    async post(request, response) {
      const { tenantId } = contextOf(request);
      const { domain_name: domainName, names, auto } = validate(newDomainBody, request.body);
      assertAutoCan(deps, auto);
      const domain = await registerDomain(deps, { tenantId, domainName, names, auto });
      response.status(201).location(`/domains/${domain.id}`).json(presentNewDomain(domain, deps.acmeZone));
    },
    async get(request, response) {
      const query = validate(listQuery, request.query, 'query');
      const page = await deps.domains.list(contextOf(request).tenantId, query);
      response.json({ data: page.data.map(presentDomain), next_cursor: page.nextCursor });
    },
  });

  methods(router, '/domains/:id', {
    async get(request, response) {
      const { wait, since } = validate(waitQuery, request.query, 'query');
      const before = await find(request);
      if (wait > 0) await untilNews(deps, before, { since, timeoutMs: wait * 1_000, response });
      const domain = wait > 0 ? await find(request) : before;
      respondInFull(response, domain, await stateOf(deps, domain));
    },
    async patch(request, response) {
      const before = await find(request);
      const { names, auto } = validate(domainChangeBody, request.body);
      assertAutoCan(deps, auto);
      const version = versionIn(request.get('if-match'));
      const { requestId } = contextOf(request);
      const domain = await changeDomain(deps, before, { requestId, ...(names && { names }), ...(auto !== undefined && { auto }), ...(version && { version }) });
      respondInFull(response, domain, await stateOf(deps, domain));
    },
    async delete(request, response) {
      const domain = await find(request);
      await deps.domains.delete(domain.tenantId, domain.id);
      response.status(204).end();
    },
  });

  methods(router, '/domains/:id/verify', {
    async post(request, response) {
      const { tenantId, id } = await find(request);
      response.json(presentDomain(await verifyDomain(deps, { tenantId, domainId: id })));
    },
  });

  methods(router, '/domains/:id/issue-certificate', {
    async post(request, response) {
      const domain = await find(request);
      const { ignore_caa: ignoreCaa } = validate(issueBody, request.body ?? {});
      const order = await createOrder(deps, { tenantId: domain.tenantId, domainId: domain.id, ignoreCaa, requestId: contextOf(request).requestId });
      await respondUnderWay(deps, response, domain, order);
    },
  });

  methods(router, '/domains/:id/renew', {
    async post(request, response) {
      const domain = await find(request);
      await respondUnderWay(deps, response, domain, await renewDomain(deps, domain, contextOf(request).requestId));
    },
  });

  methods(router, '/domains/:id/orders', {
    async get(request, response) {
      const domain = await find(request);
      const orders = await deps.orders.list(domain.tenantId, domain.id, ORDERS_SHOWN);
      response.json({ data: orders.map(presentOrder) });
    },
  });

  return router;
}

/** @throws Problem, where the CA refused, or has said that it is to be asked later */
async function respondUnderWay({ renewals, acmeZone }: DomainRouteDeps, response: Response, domain: Domain, order: Order): Promise<void> {
  contextOf(response.req).orderId = order.id;
  if (order.status === 'invalid') throw refusal(order);
  response.location(`/orders/${order.id}`);
  // Standing in our own line is no refusal; what the CA said is.
  const isRefused = order.status === 'new' && order.reason && order.reason.code !== 'acme_budget_spent';
  if (isRefused && order.reason) throw delayed(order, order.reason);
  const renewal = order.renewal ? await renewals.get(domain.tenantId, domain.id) : null;
  response.status(202).json(presentIssuing(order, { domain, renewal, acmeZone }));
}

/** Everything else that is shown of a domain. */
export async function stateOf(
  { orders, certificates, renewals, events, acmeZone }: Pick<DomainRouteDeps, 'orders' | 'certificates' | 'renewals' | 'events' | 'acmeZone'>,
  { tenantId, id }: Domain,
): Promise<DomainState> {
  const [order, certificate, renewal, newest] = await Promise.all([
    orders.latest(tenantId, id),
    certificates.latest(tenantId, id),
    renewals.get(tenantId, id),
    events.newest([id]),
  ]);
  return { order, certificate, renewal, version: newest[0]?.id ?? '0', acmeZone };
}

/** @throws Problem `validation_failed` where nothing would ever come of it */
function assertAutoCan({ acmeZone }: DomainRouteDeps, auto: boolean | undefined): void {
  if (auto !== true || acmeZone !== null) return;
  const detail = 'auto needs name servers of our own: this service has none (ACME_ZONE is not set).';
  throw terminal('validation_failed', detail, { errors: [{ pointer: '/auto', detail }] });
}

/** The version is the entity tag, too (RFC 9110 section 8.8.3): what `If-Match` takes. */
function respondInFull(response: Response, domain: Domain, state: DomainState): void {
  response.set('etag', `"${state.version}"`).json(presentDomainInFull(domain, state));
}

/** @throws Problem `validation_failed` where it is no entity tag of ours */
function versionIn(ifMatch: string | undefined): string | null {
  if (ifMatch === undefined || ifMatch.trim() === '*') return null;
  const [, version] = /^"(\d{1,18})"$/.exec(ifMatch.trim()) ?? [];
  if (version !== undefined) return version;
  const detail = 'If-Match must be the ETag that GET /domains/{id} answered with.';
  throw terminal('validation_failed', detail, { errors: [{ pointer: '', detail }] });
}

/** Long poll: whoever waits is waiting for DNS, too. */
async function untilNews(
  deps: DomainRouteDeps,
  domain: Domain,
  { since, timeoutMs, response }: { since: string | undefined; timeoutMs: number; response: Response },
): Promise<void> {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  if (response.destroyed) return;
  await watchDomain(deps, domain);
  const known = since ?? (await deps.events.newest([domain.id]))[0]?.id ?? '0';
  await deps.news.untilNews(domain.id, known, { timeoutMs, signal: closed.signal });
}

/** The CA could not be asked, or said to come back: the order stays, and goes on by itself. */
const delayed = ({ id, dueAt }: Order, { code, detail, acme }: OrderReason): Problem =>
  transient(code, `${detail.replace(/[^.!?]$/, '$&.')} The order stays in place and goes on by itself.`, {
    about: { orderId: id },
    retryAfterMs: Math.max(1_000, (dueAt?.getTime() ?? 0) - Date.now()),
    ...(acme && { acme }),
  });

/** The CA refused while the caller was waiting: its reason is the answer. */
const refusal = ({ id, reason }: Order): Problem =>
  reason
    ? terminal(reason.code, reason.detail, { about: { orderId: id }, ...(reason.acme && { acme: reason.acme }) })
    : terminal('acme_order_invalid', 'The order failed at once; no reason is known.', { about: { orderId: id } });
