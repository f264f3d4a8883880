import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RudeHandler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface RudeCaRequest {
  method: string;
  path: string;
  body: string;
  headers: IncomingHttpHeaders;
}

export interface RudeCa {
  /** `http://127.0.0.1:port`, no slash; the directory is at `/dir`, newOrder at `/order`. */
  url: string;
  seen: RudeCaRequest[];
  posts(): RudeCaRequest[];
  heads(): RudeCaRequest[];
  stop(): Promise<void>;
}

/**
 * A CA without TLS that does at each path what `handlers` say: for faults that a real one won't show. Its directory and
 * its nonces (`nonce1`, `nonce2` … with every answer but the directory) are in order unless `handlers` say otherwise.
 */
export async function startRudeCa(handlers: Record<string, RudeHandler>): Promise<RudeCa> {
  const seen: RudeCaRequest[] = [];
  let nonces = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      seen.push({ method: request.method ?? '', path, body, headers: request.headers });
      if (path !== '/dir') response.setHeader('replay-nonce', `nonce${(nonces += 1)}`);
      const handler = handlers[path] ?? regular[path];
      if (handler === undefined) response.writeHead(404).end();
      else handler(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = { newNonce: `${url}/nonce`, newAccount: `${url}/account`, newOrder: `${url}/order` };
  const regular: Record<string, RudeHandler> = {
    '/dir': (_, response) => void response.end(JSON.stringify(directory)),
    '/nonce': (_, response) => void response.end(),
  };
  return {
    url,
    seen,
    posts: () => seen.filter(({ method }) => method === 'POST'),
    heads: () => seen.filter(({ method }) => method === 'HEAD'),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
