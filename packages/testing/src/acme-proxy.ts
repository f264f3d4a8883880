import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import type { AcmeCa } from './acme-ca';

export interface SeenRequest {
  method: string;
  path: string;
}

export interface AcmeProxy {
  directoryUrl: string;
  /** Every request that came through, in order. */
  seen: SeenRequest[];
  /**
   * Called when the CA has answered and before that answer is passed on: what the CA did has happened, and the worker
   * does not know it yet. The answer is dropped when it returns 'drop'.
   */
  onAnswer: ((request: SeenRequest) => Promise<'drop' | 'pass'>) | null;
  stop(): Promise<void>;
}

/** Stands in front of the CA without changing a byte: Pebble builds its URLs from the Host header, so all traffic comes through. */
export async function startAcmeProxy(ca: AcmeCa): Promise<AcmeProxy> {
  const caPem = readFileSync(ca.caFile);
  const key = readFileSync(path.join(path.dirname(ca.caFile), 'listener-key.pem'));
  const target = new URL(ca.directoryUrl);
  const seen: SeenRequest[] = [];
  const proxy: AcmeProxy = { directoryUrl: '', seen, onAnswer: null, stop };

  const server = https.createServer({ cert: caPem, key }, (incoming, outgoing) => {
    const request = { method: incoming.method ?? '', path: incoming.url ?? '' };
    seen.push(request);
    const upstream = https.request(
      { host: target.hostname, port: target.port, path: request.path, method: request.method, headers: incoming.headers, ca: caPem },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          void (async () => {
            if ((await proxy.onAnswer?.(request)) === 'drop') {
              outgoing.destroy();
              return;
            }
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            outgoing.end(Buffer.concat(chunks));
          })();
        });
      },
    );
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.directoryUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`;
  return proxy;

  async function stop(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
