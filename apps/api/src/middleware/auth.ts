import { createHash, timingSafeEqual } from 'node:crypto';
import { DEFAULT_TENANT_ID, terminal } from '@certwright/core';
import type { RequestHandler } from 'express';
import { contextOf, setContext } from '../request-context';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in constant time, whatever the lengths. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/**
 * `Authorization: Bearer <AUTH_TOKEN>`, else 401. With no token configured (development only) every request is let in. The
 * only place that says whose rows a request may see.
 */
export const bearerAuth =
  (authToken: string | null): RequestHandler =>
  (request, response, next) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '') ?? [];
    if (authToken !== null && (given === undefined || !sameSecret(given, authToken))) {
      response.set('WWW-Authenticate', 'Bearer realm="certwright"');
      throw terminal('unauthorized', 'A valid key is needed: send "Authorization: Bearer <key>".');
    }
    setContext(request, { ...contextOf(request), tenantId: DEFAULT_TENANT_ID });
    next();
  };
