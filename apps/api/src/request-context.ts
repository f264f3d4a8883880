import type { Request } from 'express';

/** What the middleware knows about a request. */
export interface RequestContext {
  requestId: string;
  /** Whose rows the request may see; set by authentication. */
  tenantId: string;
  /** What it turned out to be about, for the log. */
  orderId?: string;
}

const contexts = new WeakMap<object, RequestContext>();

export const setContext = (request: Request, context: RequestContext): void => void contexts.set(request, context);

export function contextOf(request: Request): RequestContext {
  const context = contexts.get(request);
  if (!context) throw new TypeError('the request has no context: the request-id middleware comes first');
  return context;
}

/** What every log line about a request has. */
export function logFieldsOf(request: Request): { requestId: string; orderId?: string } {
  const { requestId, orderId } = contextOf(request);
  return { requestId, ...(orderId !== undefined && { orderId }) };
}
