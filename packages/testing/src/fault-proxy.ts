import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { AcmeCa } from './acme-ca';

/** Pebble's paths by what they are for (RFC 8555's words). */
const PATHS = {
  directory: '/dir',
  nonce: '/nonce-plz',
  'new-account': '/sign-me-up',
  'new-order': '/order-plz',
  order: '/my-order/',
  authorization: '/authZ/',
  challenge: '/chalZ/',
  finalize: '/finalize-order/',
  certificate: '/certZ/',
} as const;
export type Endpoint = keyof typeof PATHS;
export const ENDPOINTS = Object.keys(PATHS) as Endpoint[];

export interface SeenRequest {
  endpoint: Endpoint | 'other';
  method: string;
  path: string;
  /** Milliseconds since the proxy started. */
  at: number;
  /** The CA refused its nonce (Pebble does so now and then, on purpose): it will come again. */
  refusedNonce?: boolean;
}

/** What happens to a request. Without `answer`, `hang` and `reset: 'before'` it reaches the CA. */
export interface Fault {
  /** How often; default 1. */
  times?: number;
  /** How many requests pass unharmed before. */
  after?: number;
  /** With this probability only. */
  chance?: number;
  delayMs?: number;
  /** No answer, ever. */
  hang?: boolean;
  /** The connection is cut before the CA hears of it, or after it has acted. */
  reset?: 'before' | 'after';
  answer?: { status: number; retryAfter?: string; problem?: string; detail?: string; body?: string };
  /** The CA's answer is cut in the middle. */
  truncate?: boolean;
  /** The CA's JSON, changed: answers are not signed. */
  rewrite?: (body: Record<string, unknown>) => Record<string, unknown>;
  /** When the CA has acted, before the answer is passed on. */
  meanwhile?: () => Promise<void>;
}

export interface FaultProxy {
  directoryUrl: string;
  /** Every request that arrived, in order. */
  seen: SeenRequest[];
  /** Those whose nonce was refused left out. */
  count(endpoint: Endpoint): number;
  /** The next requests to an endpoint suffer; faults of one endpoint queue up. */
  fault(endpoint: Endpoint, fault: Fault): void;
  /** No more faults. */
  heal(): void;
  /** How many faults have happened. */
  readonly injected: number;
  /** Another CA behind the same URL: it has never heard of our accounts and orders. */
  redirect(ca: AcmeCa): void;
  stop(): Promise<void>;
}

/** Stands in front of the CA: Pebble builds its URLs from the Host header, so all traffic comes through. */
export async function startFaultProxy(first: AcmeCa): Promise<FaultProxy> {
  let ca = first;
  let injected = 0;
  const certificate = { cert: readFileSync(ca.caFile), key: readFileSync(path.join(path.dirname(ca.caFile), 'listener-key.pem')) };
  const seen: SeenRequest[] = [];
  const faults: { endpoint: Endpoint; fault: Fault; left: number; skip: number }[] = [];
  const startedAt = performance.now();
  const oneAfterAnother = keepFromDeadlock();

  const faultFor = (endpoint: SeenRequest['endpoint']): { fault: Fault; giveBack(): void } | null => {
    const found = faults.find((one) => one.endpoint === endpoint && one.left > 0);
    if (!found) return null;
    if (found.skip > 0) {
      found.skip -= 1;
      return { fault: {}, giveBack: () => void (found.skip += 1) };
    }
    if (Math.random() >= (found.fault.chance ?? 1)) return null;
    found.left -= 1;
    injected += 1;
    return {
      fault: found.fault,
      giveBack() {
        found.left += 1;
        injected -= 1;
      },
    };
  };

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = incoming;
    const endpoint = ENDPOINTS.find((one) => url.startsWith(PATHS[one])) ?? 'other';
    const request: SeenRequest = { endpoint, method, path: url, at: performance.now() - startedAt };
    seen.push(request);
    const taken = faultFor(endpoint);
    const fault = taken?.fault ?? {};
    const body = await read(incoming);
    if (fault.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs).unref());
    if (fault.hang === true) return;
    if (fault.reset === 'before') return void outgoing.destroy();
    if (fault.answer) return refuse(outgoing, fault.answer);
    const send = (): Promise<Answer> => forward(ca, incoming, body);
    const answer = await oneAfterAnother(endpoint, send);
    request.refusedNonce = answer.status === 400 && answer.body.includes('error:badNonce');
    // The CA has done nothing yet: the fault is for the request that comes again.
    if (request.refusedNonce) taken?.giveBack();
    if (request.refusedNonce) return pass(outgoing, answer, {});
    await fault.meanwhile?.();
    if (fault.reset === 'after') return void outgoing.destroy();
    pass(outgoing, answer, fault);
  };

  const server = https.createServer(certificate, (incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    directoryUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}${PATHS.directory}`,
    seen,
    count: (endpoint) => seen.filter((one) => one.endpoint === endpoint && one.refusedNonce !== true).length,
    fault: (endpoint, fault) => void faults.push({ endpoint, fault, left: fault.times ?? 1, skip: fault.after ?? 0 }),
    heal: () => void faults.splice(0),
    get injected() {
      return injected;
    },
    redirect: (other) => void (ca = other),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * Pebble's newOrder looks through all authorizations for one to use again, with its store locked, and waits for each that is being read; who
 * reads one waits for the store: newOrder runs neither beside itself nor beside what reads an authorization.
 */
function keepFromDeadlock(): (endpoint: SeenRequest['endpoint'], send: () => Promise<Answer>) => Promise<Answer> {
  let newOrder: Promise<unknown> = Promise.resolve();
  const reading = new Set<Promise<unknown>>();
  return (endpoint, send) => {
    if (endpoint === 'new-order') {
      const sent = Promise.all([newOrder, ...reading]).then(send);
      newOrder = sent.catch(() => undefined);
      return sent;
    }
    if (endpoint !== 'authorization' && endpoint !== 'challenge') return send();
    const sent = newOrder.then(send);
    const over = sent.catch(() => undefined).then(() => void reading.delete(over));
    reading.add(over);
    return sent;
  };
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function forward(ca: AcmeCa, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(ca.directoryUrl);
  return new Promise((resolve, reject) => {
    const request = https.request({ hostname, port, path: url, method, headers, ca: readFileSync(ca.caFile) }, (answer) => {
      read(answer).then((content) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: content }), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function refuse(outgoing: ServerResponse, { status, retryAfter, problem, detail, body }: NonNullable<Fault['answer']>): void {
  const document = { type: `urn:ietf:params:acme:error:${problem}`, detail: detail ?? 'made up by the test', status };
  outgoing.writeHead(status, {
    'content-type': problem === undefined ? 'text/html' : 'application/problem+json',
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  });
  outgoing.end(problem === undefined ? (body ?? '<html>Bad Gateway</html>') : JSON.stringify(document));
}

function pass(outgoing: ServerResponse, { status, headers, body }: Answer, { truncate, rewrite }: Fault): void {
  const { 'content-length': _length, ...rest } = headers;
  const changed = rewrite && status < 300 ? Buffer.from(JSON.stringify(rewrite(JSON.parse(body.toString()) as Record<string, unknown>))) : body;
  outgoing.writeHead(status, rest);
  outgoing.end(truncate === true ? changed.subarray(0, changed.length / 2) : changed);
}
