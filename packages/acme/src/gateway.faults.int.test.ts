import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, type AcmeAccount } from '@certwright/core';
import { startRudeCa, type RudeCa, type RudeHandler } from '@certwright/testing';
import { createAcmeGateway, type ClosableAcmeGateway } from './gateway';
import { createKeyMaker } from './keys';

const NO_PAUSE = { pausedUntil: null, ordersPausedUntil: null, pauseReason: null };

const TIMEOUT_MS = 400;
const silence: RudeHandler = () => undefined;
const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

describe('the gateway at a CA that misbehaves', () => {
  let ca: RudeCa;
  let gateway: ClosableAcmeGateway;
  let account: AcmeAccount;

  const start = async (handlers: Record<string, RudeHandler>, timeoutMs = TIMEOUT_MS): Promise<void> => {
    ca = await startRudeCa(handlers);
    gateway = createAcmeGateway({ directoryUrl: `${ca.url}/dir`, timeoutMs });
    account = { id: '1', privateKeyPem: await createKeyMaker().accountKey(), url: `${ca.url}/account/1`, ...NO_PAUSE };
  };
  afterEach(async () => {
    gateway.close();
    await ca.stop();
  });

  const newOrder = () => gateway.newOrder(account, { names: ['a.example'], profile: null });
  const getOrder = () => gateway.getOrder(account, `${ca.url}/order/1`);

  const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
    const error = await work.then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (error instanceof Problem) return error;
    throw error;
  };

  it.each([
    ['the directory', { '/dir': silence }],
    ['a nonce', { '/nonce': silence }],
    ['the request', { '/order': silence }],
    [
      'the rest of an answer',
      { '/order': ((_, response) => void response.writeHead(201).write('{"status":')) satisfies RudeHandler },
    ],
  ])('gives up in time when the CA is silent instead of sending %s', async (_, handlers) => {
    await start(handlers);
    const started = performance.now();
    const problem = await problemOf(newOrder());
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + 300);
    expect(problem).toMatchObject({ code: 'acme_unreachable', disposition: 'transient' });
    expect(problem.message).toContain('did not answer within 0.4 s');
  });

  it('bounds a call in time by the whole, not by each of its answers', async () => {
    const slowly =
      (answer: RudeHandler): RudeHandler =>
      (...args) =>
        void setTimeout(() => answer(...args), TIMEOUT_MS * 0.7);
    await start({
      '/nonce': slowly((_, response) => response.end()),
      '/order': slowly((_, response) => json(response, 201, {})),
    });
    const started = performance.now();
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_unreachable' });
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + 300);
  });

  it('gives up in time also where requests queue for a connection', async () => {
    const timeoutMs = 2_000;
    await start({ '/order': silence }, timeoutMs);
    const started = performance.now();
    const calls = Promise.all(Array.from({ length: 40 }, () => problemOf(newOrder())));
    while (ca.posts().length < 16 && performance.now() - started < timeoutMs) await sleep(20);
    await sleep(200);
    expect(ca.posts()).toHaveLength(16);
    const problems = await calls;
    expect(performance.now() - started).toBeLessThan(timeoutMs + 600);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['acme_unreachable']));
  });

  it.each([
    ['resets the connection', ((request) => request.socket.resetAndDestroy()) satisfies RudeHandler],
    [
      'hangs up in the middle of an answer',
      ((request, response) => {
        response.writeHead(201, { 'content-length': '1000' });
        response.write('{"status":', () => request.socket.destroy());
      }) satisfies RudeHandler,
    ],
  ])('calls it unreachable, and sends nothing twice, when the CA %s', async (_, handler) => {
    await start({ '/order': handler });
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_unreachable', disposition: 'transient' });
    expect(ca.posts()).toHaveLength(1);
  });

  it('calls a CA that is not there unreachable, and finds it once it is', async () => {
    await start({});
    const port = Number(new URL(ca.url).port);
    await ca.stop();
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_unreachable', disposition: 'transient' });
    const back = createServer((_, response) => response.writeHead(503).end()).listen(port, '127.0.0.1');
    const stop = async (): Promise<void> => {
      back.closeAllConnections();
      await once(back.close(), 'close');
    };
    ca = { ...ca, stop };
    await once(back, 'listening');
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_server_error' });
  });

  it.each<[string, RudeHandler, string, string]>([
    ['HTML 502', (_, r) => void r.writeHead(502).end('<html>Bad Gateway</html>'), 'acme_server_error', 'transient'],
    ['HTML 200', (_, r) => void r.writeHead(200).end('<html>Hello</html>'), 'acme_bad_response', 'transient'],
    ['truncated JSON', (_, r) => void r.writeHead(200).end('{"status":"pend'), 'acme_bad_response', 'transient'],
    ['an empty answer', (_, r) => void r.writeHead(200).end(), 'acme_bad_response', 'transient'],
    ['an unknown status', (_, r) => json(r, 200, { status: 'done' }), 'acme_bad_response', 'transient'],
    ['404', (_, r) => void r.writeHead(404).end(), 'acme_order_gone', 'transient'],
  ])('reads %s for an order as what it is', async (_, handler, code, disposition) => {
    await start({ '/order/1': handler });
    expect(await problemOf(getOrder())).toMatchObject({ code, disposition });
  });

  it('does not follow a redirect', async () => {
    await start({ '/order/1': (_, response) => void response.writeHead(307, { location: '/elsewhere' }).end() });
    expect(await problemOf(getOrder())).toMatchObject({ code: 'acme_bad_response' });
    expect(ca.seen.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('stops reading an answer that does not end', async () => {
    let sent = 0;
    await start({
      '/order/1': (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
        };
        response.on('drain', more);
        more();
      },
    });
    const problem = await problemOf(getOrder());
    expect(problem).toMatchObject({ code: 'acme_bad_response', disposition: 'transient' });
    expect(problem.message).toContain('larger than');
    expect(sent).toBeLessThan(20 * 1024 * 1024);
  });

  it.each([
    ['as long as the CA says', { 'retry-after': '17' }, 17_000],
    ['a minute where the CA does not say', {}, 60_000],
  ])('waits %s after a 429, without another request', async (_, headers, ms) => {
    const problem = { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many new orders recently' };
    await start({
      '/order': (_request, response) => void response.writeHead(429, headers).end(JSON.stringify(problem)),
    });
    expect(await problemOf(newOrder())).toMatchObject({
      code: 'acme_rate_limited',
      disposition: 'wait',
      retryAfterMs: ms,
      acme: { ...problem, status: 429 },
    });
    expect(ca.posts()).toHaveLength(1);
  });
});
