import { terminal } from '@certwright/core';
import type { Request, Response, Router } from 'express';

type Method = 'get' | 'post' | 'patch' | 'delete';
type Handler = (request: Request<Record<string, string>>, response: Response) => Promise<void>;

/** The methods of one path; any other is answered with 405 and what is allowed (RFC 9110 section 15.5.6). */
export function methods(router: Router, path: string, handlers: Partial<Record<Method, Handler>>): void {
  const route = router.route(path);
  for (const method of ['get', 'post', 'patch', 'delete'] as const) {
    const handler = handlers[method];
    if (handler) route[method](async (request, response) => handler(request as Request<Record<string, string>>, response));
  }
  const allowed = Object.keys(handlers).map((method) => method.toUpperCase());
  route.all((request, response) => {
    response.set('Allow', allowed.join(', '));
    throw terminal('method_not_allowed', `${request.method} is not possible here; ${allowed.join(' and ')} ${allowed.length > 1 ? 'are' : 'is'}.`);
  });
}
