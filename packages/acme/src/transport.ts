import type { IncomingHttpHeaders } from 'node:http';
import { Problem, transient } from '@certwright/core';
import { Agent } from 'undici';
import { unreachable, type AcmeStep } from './acme-problem';

const USER_AGENT = 'certwright/0.1.0 acme-client/5.4.0';
const MAX_REPLY_BYTES = 1024 * 1024;
/** Connections per CA host; requests beyond it queue, and their deadline runs on. */
const MAX_SOCKETS = 16;
/** Shorter than servers keep idle connections, so that a POST seldom meets one that was just closed. */
const IDLE_SOCKET_MS = 4_000;

export interface HttpRequest {
  step: AcmeStep;
  method: 'GET' | 'HEAD' | 'POST';
  url: string;
  body?: string;
  accept?: string;
  /** Ends the exchange, body included; its reason is the Problem that is thrown. */
  signal: AbortSignal;
}

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One HTTP exchange with the CA, for logs and metrics. */
export interface AcmeRequestInfo {
  step: AcmeStep;
  method: HttpRequest['method'];
  url: string;
  /** Null when there was no complete answer. */
  status: number | null;
  durationMs: number;
}

export interface Transport {
  /** Any status is an answer; redirects are not followed. @throws Problem `acme_unreachable`, `acme_bad_response`. */
  send(request: HttpRequest): Promise<HttpReply>;
  /** Closes the connections kept alive. */
  close(): void;
}

/** Over undici, which takes half the CPU for an exchange that `node:https` does. */
export function createTransport(options: {
  caPem?: string | undefined;
  onRequest?: ((info: AcmeRequestInfo) => void) | undefined;
}): Transport {
  const agent = new Agent({
    connections: MAX_SOCKETS,
    keepAliveTimeout: IDLE_SOCKET_MS,
    keepAliveMaxTimeout: IDLE_SOCKET_MS,
    maxResponseSize: MAX_REPLY_BYTES,
    // The request's signal is the one deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(options.caPem !== undefined && { connect: { ca: options.caPem } }),
  });

  const exchange = async ({ url, method, accept, body, signal }: HttpRequest): Promise<HttpReply> => {
    const { origin, pathname, search } = new URL(url);
    const reply = await agent.request({
      origin,
      path: pathname + search,
      method,
      headers: {
        'user-agent': USER_AGENT,
        'accept-language': 'en',
        ...(accept !== undefined && { accept }),
        ...(body !== undefined && { 'content-type': 'application/jose+json' }),
      },
      ...(body !== undefined && { body }),
      signal,
    });
    return { status: reply.statusCode, headers: reply.headers, body: await reply.body.text() };
  };

  return {
    async send(request) {
      const started = performance.now();
      let status: number | null = null;
      try {
        const reply = await orAborted(request.signal, () => exchange(request));
        status = reply.status;
        return reply;
      } catch (error) {
        throw problemOf(error, new URL(request.url).host);
      } finally {
        const durationMs = Math.round(performance.now() - started);
        const { step, method, url } = request;
        options.onRequest?.({ step, method, url, status, durationMs });
      }
    },
    close: () => void agent.destroy(),
  };
}

/** Not left to the client: a request that is queued for a socket would report the abort late. */
function orAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => reject(signal.reason as Problem);
    signal.addEventListener('abort', abort, { once: true });
    void work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

function problemOf(error: unknown, host: string): Problem {
  if (error instanceof Problem) return error;
  const failure = error as Error & { code?: unknown };
  if (failure.code !== 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return unreachable(host, failure);
  return transient('acme_bad_response', `The CA at ${host} sent an answer larger than ${MAX_REPLY_BYTES} bytes.`);
}
