import { type OrderStore, terminal } from '@certwright/core';
import { addLogContext } from '@certwright/runtime';
import { Router } from 'express';
import { methods } from '../methods';
import { presentOrder } from '../present';
import { contextOf } from '../request-context';
import { isUuid } from './domains';

export interface OrderRouteDeps {
  orders: Pick<OrderStore, 'get'>;
}

export function orderRoutes({ orders }: OrderRouteDeps): Router {
  const router = Router();
  methods(router, '/orders/:id', {
    async get(request, response) {
      const id = request.params.id ?? '';
      const order = isUuid(id) ? await orders.get(contextOf(request).tenantId, id) : null;
      if (!order) throw terminal('not_found', 'There is no such order.');
      addLogContext({ orderId: order.id });
      response.json(presentOrder(order));
    },
  });
  return router;
}
