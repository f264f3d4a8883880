import {
  challengeName,
  createOrder,
  type CreateOrderDeps,
  DOMAIN_STATUSES,
  type Domain,
  type DomainStatus,
  type DomainStore,
  type CertificateStore,
  type Order,
  type OrderReason,
  type OrderStore,
  type Problem,
  registerDomain,
  type RegisterDomainDeps,
  terminal,
  transient,
  verifyDomain,
  type VerifyDomainDeps,
} from '@certwright/core';
import { addLogContext } from '@certwright/runtime';
import { Router } from 'express';
import Joi from 'joi';
import { methods } from '../methods';
import { presentDomain, presentDomainInFull, presentIssuing, presentNewDomain, presentOrder } from '../present';
import { contextOf } from '../request-context';
import { validate } from '../validate';

export interface DomainRouteDeps extends RegisterDomainDeps, VerifyDomainDeps, CreateOrderDeps {
  domains: DomainStore;
  orders: OrderStore;
  certificates: CertificateStore;
}

export const newDomainBody = Joi.object<{ domain_name: string }, true>({
  domain_name: Joi.string()
    .allow('')
    .max(1_024)
    .required()
    .description('A domain name such as shop.customer.com; Unicode is accepted.'),
})
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

const ORDERS_SHOWN = 100;

export function domainRoutes(deps: DomainRouteDeps): Router {
  const router = Router();

  async function find(tenantId: string, id: string): Promise<Domain> {
    const domain = isUuid(id) ? await deps.domains.get(tenantId, id) : null;
    if (!domain) throw terminal('not_found', 'There is no such domain.');
    return domain;
  }

  methods(router, '/domains', {
    async post(request, response) {
      const { tenantId } = contextOf(request);
      const { domain_name: domainName } = validate(newDomainBody, request.body);
      const domain = await registerDomain(deps, { tenantId, domainName });
      response.status(201).location(`/domains/${domain.id}`).json(presentNewDomain(domain));
    },
    async get(request, response) {
      const query = validate(listQuery, request.query, 'query');
      const page = await deps.domains.list(contextOf(request).tenantId, query);
      response.json({ data: page.data.map(presentDomain), next_cursor: page.nextCursor });
    },
  });

  methods(router, '/domains/:id', {
    async get(request, response) {
      const { tenantId } = contextOf(request);
      const domain = await find(tenantId, request.params.id ?? '');
      const [order, certificate] = await Promise.all([
        deps.orders.latest(tenantId, domain.id),
        deps.certificates.latest(tenantId, domain.id),
      ]);
      response.json(presentDomainInFull(domain, order, certificate));
    },
    async delete(request, response) {
      const { tenantId } = contextOf(request);
      const domain = await find(tenantId, request.params.id ?? '');
      await deps.domains.delete(tenantId, domain.id);
      response.status(204).end();
    },
  });

  methods(router, '/domains/:id/verify', {
    async post(request, response) {
      const { tenantId } = contextOf(request);
      const { id } = await find(tenantId, request.params.id ?? '');
      response.json(presentDomain(await verifyDomain(deps, { tenantId, domainId: id })));
    },
  });

  methods(router, '/domains/:id/issue-certificate', {
    async post(request, response) {
      const { tenantId, requestId } = contextOf(request);
      const domain = await find(tenantId, request.params.id ?? '');
      const order = await createOrder(deps, { tenantId, domainId: domain.id, requestId });
      addLogContext({ orderId: order.id });
      if (order.status === 'invalid') throw refusal(order);
      response.location(`/orders/${order.id}`);
      // Standing in our own line is no refusal; what the CA said is.
      const isRefused = order.status === 'new' && order.reason && order.reason.code !== 'acme_budget_spent';
      if (isRefused && order.reason) throw delayed(order.reason, order.dueAt);
      response.status(202).json(presentIssuing(order, challengeName(domain.name)));
    },
  });

  methods(router, '/domains/:id/orders', {
    async get(request, response) {
      const { tenantId } = contextOf(request);
      const domain = await find(tenantId, request.params.id ?? '');
      const orders = await deps.orders.list(tenantId, domain.id, ORDERS_SHOWN);
      response.json({ data: orders.map(presentOrder) });
    },
  });

  return router;
}

/** An id of any other form is nobody's: absent, not wrong. */
export const isUuid = (id: string): boolean => /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id);

/** The CA could not be asked, or said to come back: the order stays, and goes on by itself. */
const delayed = ({ code, detail, acme }: OrderReason, dueAt: Date | null): Problem =>
  transient(code, `${detail} The order stays in place and goes on by itself.`, {
    retryAfterMs: Math.max(1_000, (dueAt?.getTime() ?? 0) - Date.now()),
    ...(acme && { acme }),
  });

/** The CA refused while the caller was waiting: its reason is the answer. */
const refusal = ({ reason }: Order): Problem =>
  reason
    ? terminal(reason.code, reason.detail, reason.acme && { acme: reason.acme })
    : terminal('acme_order_invalid', 'The order failed at once; no reason is known.');
