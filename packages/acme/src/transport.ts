import http from 'node:http';
import https from 'node:https';
import { transient, type Problem } from '@certwright/core';
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
  headers: http.IncomingHttpHeaders;
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

export function createTransport(options: {
  caPem?: string | undefined;
  onRequest?: ((info: AcmeRequestInfo) => void) | undefined;
}): Transport {
  const pooling = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_SOCKET_MS };
  const httpAgent = new http.Agent(pooling);
  const httpsAgent = new https.Agent({ ...pooling, ...(options.caPem !== undefined && { ca: options.caPem }) });

  const open = (url: URL, request: HttpRequest): http.ClientRequest => {
    const settings = {
      method: request.method,
      headers: {
        'user-agent': USER_AGENT,
        'accept-language': 'en',
        ...(request.accept !== undefined && { accept: request.accept }),
        ...(request.body !== undefined && { 'content-type': 'application/jose+json' }),
      },
    };
    return url.protocol === 'https:'
      ? https.request(url, { ...settings, agent: httpsAgent })
      : http.request(url, { ...settings, agent: httpAgent });
  };

  const exchange = (request: HttpRequest): Promise<HttpReply> =>
    new Promise((resolve, reject) => {
      request.signal.throwIfAborted();
      const url = new URL(request.url);
      const outgoing = open(url, request);
      const fail = (problem: Problem): void => {
        reject(problem);
        outgoing.destroy();
      };
      // Not left to the request's own `signal`: a request that is queued for a socket would report the abort late.
      const abort = (): void => fail(request.signal.reason as Problem);
      request.signal.addEventListener('abort', abort, { once: true });
      outgoing.on('close', () => request.signal.removeEventListener('abort', abort));
      outgoing.on('error', (error) => fail(unreachable(url.host, error)));
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_REPLY_BYTES) fail(oversize(url.host));
          else chunks.push(chunk);
        });
        incoming.on('error', (error) => fail(unreachable(url.host, error)));
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      outgoing.end(request.body);
    });

  return {
    async send(request) {
      const started = performance.now();
      let status: number | null = null;
      try {
        const reply = await exchange(request);
        status = reply.status;
        return reply;
      } finally {
        const durationMs = Math.round(performance.now() - started);
        const { step, method, url } = request;
        options.onRequest?.({ step, method, url, status, durationMs });
      }
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

const oversize = (host: string): Problem =>
  transient('acme_bad_response', `The CA at ${host} sent an answer larger than ${MAX_REPLY_BYTES} bytes.`);
