import { type OrderStore, terminal } from '@certwright/core';
import { Router } from 'express';
import { methods } from '../methods';
import { presentHistory, presentOrder } from '../present';
import { contextOf } from '../request-context';
import { isUuid } from './find-domain';

export interface OrderRouteDeps {
  orders: Pick<OrderStore, 'get' | 'events'>;
}

/** An order has some ten of them; one that the CA sends round in circles has more. */
const HISTORY_SHOWN = 100;

export function orderRoutes({ orders }: OrderRouteDeps): Router {
  const router = Router();
  methods(router, '/orders/:id', {
    async get(request, response) {
      const id = request.params.id ?? '';
      const context = contextOf(request);
      const order = isUuid(id) ? await orders.get(context.tenantId, id) : null;
      if (!order) throw terminal('not_found', 'There is no such order.');
      context.orderId = order.id;
      const history = await orders.events(context.tenantId, order.id, HISTORY_SHOWN);
      response.json({ ...presentOrder(order), history: presentHistory(history) });
    },
  });
  return router;
}
