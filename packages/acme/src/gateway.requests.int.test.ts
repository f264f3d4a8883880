import type { ServerResponse } from 'node:http';
import { Problem, type AcmeAccount } from '@certwright/core';
import { startRudeCa, type RudeCa, type RudeHandler } from '@certwright/testing';
import { createAcmeGateway, type ClosableAcmeGateway } from './gateway';
import { createKeyMaker } from './keys';

const NO_PAUSE = { pausedUntil: null, ordersPausedUntil: null, pauseReason: null };

const TIMEOUT_MS = 2_000;

const json = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const badNonce = (response: ServerResponse): void =>
  json(response, 400, { type: 'urn:ietf:params:acme:error:badNonce', detail: 'no' });
const protectedOf = (body: string): { nonce: string; url: string; kid?: string; jwk?: object } =>
  JSON.parse(Buffer.from((JSON.parse(body) as { protected: string }).protected, 'base64url').toString());

describe('the requests that the gateway sends', () => {
  let ca: RudeCa;
  let gateway: ClosableAcmeGateway;
  let account: AcmeAccount;

  const start = async (handlers: Record<string, RudeHandler>): Promise<void> => {
    ca = await startRudeCa(handlers);
    gateway = createAcmeGateway({ directoryUrl: `${ca.url}/dir`, timeoutMs: TIMEOUT_MS });
    account = { id: '1', privateKeyPem: await createKeyMaker().accountKey(), url: `${ca.url}/account/1`, ...NO_PAUSE };
  };
  afterEach(async () => {
    gateway.close();
    await ca.stop();
  });

  const newOrder = () => gateway.newOrder(account, { names: ['a.example'], profile: null });
  const getOrder = () => gateway.getOrder(account, `${ca.url}/order/1`);
  const orderAt = (url: string) => ({ status: 'pending', authorizations: [], finalize: `${url}/finalize/1` });

  const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
    const error = await work.then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (error instanceof Problem) return error;
    throw error;
  };

  it('tries five times, each with the nonce that came with the refusal, and no more', async () => {
    await start({ '/order': (_, response) => badNonce(response) });
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_server_error', disposition: 'transient' });
    expect(ca.posts().map(({ body }) => protectedOf(body).nonce)).toEqual([
      'nonce1', // the one that was asked for
      'nonce2',
      'nonce3',
      'nonce4',
      'nonce5',
    ]);
    expect(ca.heads()).toHaveLength(1);
  });

  it('gets through when the CA takes the fifth nonce', async () => {
    let refusals = 0;
    await start({
      '/order/1': (_, response) => {
        if ((refusals += 1) < 5) badNonce(response);
        else json(response, 200, orderAt(ca.url));
      },
    });
    expect((await getOrder()).status).toBe('pending');
  });

  it('asks for a nonce once, then lives on those that answers bring, errors included', async () => {
    await start({
      '/order/1': (_, response) => json(response, 200, orderAt(ca.url)),
      '/order': (_, response) => json(response, 503, {}),
    });
    await getOrder();
    await problemOf(newOrder());
    await getOrder();
    expect(ca.heads()).toHaveLength(1);
    expect(ca.seen.filter(({ path }) => path === '/dir')).toHaveLength(1);
    const used = ca.posts().map(({ body }) => protectedOf(body).nonce);
    expect(new Set(used).size).toBe(3);
  });

  it('reads the directory once for all who wait for it', async () => {
    await start({ '/order': (_, response) => json(response, 503, {}) });
    await Promise.all(Array.from({ length: 10 }, () => problemOf(newOrder())));
    expect(ca.seen.filter(({ path }) => path === '/dir')).toHaveLength(1);
  });

  it('says who it is, signs as the account, and passes the profile on', async () => {
    await start({
      '/order': (_, response) => {
        response.setHeader('location', '/order/1');
        json(response, 201, orderAt(ca.url));
      },
    });
    const order = await gateway.newOrder(account, { names: ['a.example', '*.a.example'], profile: 'shortlived' });
    expect(order.url).toBe(`${ca.url}/order/1`);
    const [post] = ca.posts();
    expect(post?.headers).toMatchObject({
      'user-agent': 'certwright/0.1.0 acme-client/5.4.0',
      'accept-language': 'en',
      'content-type': 'application/jose+json',
    });
    expect(protectedOf(post?.body ?? '')).toMatchObject({ kid: account.url, url: `${ca.url}/order` });
    const { payload } = JSON.parse(post?.body ?? '') as { payload: string };
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({
      identifiers: [
        { type: 'dns', value: 'a.example' },
        { type: 'dns', value: '*.a.example' },
      ],
      profile: 'shortlived',
    });
  });

  it('passes on when an order wants to be looked at again', async () => {
    await start({
      '/order/1': (_, response) => {
        response.setHeader('retry-after', '4');
        json(response, 200, { ...orderAt(ca.url), status: 'processing' });
      },
    });
    expect((await getOrder()).retryAfterMs).toBe(4_000);
  });

  it('asks for registration first when the account has no URL yet', async () => {
    await start({});
    account = { ...account, url: null };
    expect(await problemOf(newOrder())).toMatchObject({ code: 'acme_account_unknown' });
    expect(ca.posts()).toHaveLength(0);
  });

  it('ends with a Problem, and no word of the key, when the account key cannot be read', async () => {
    await start({});
    const damaged = account.privateKeyPem.slice(0, 90);
    const problem = await problemOf(gateway.getOrder({ ...account, privateKeyPem: damaged }, `${ca.url}/order/1`));
    expect(problem.code).toBe('internal_error');
    expect(`${problem.stack} ${String(problem.cause)}`).not.toContain(damaged.slice(30, 60));
  });

  it('tells of every exchange, failed ones too', async () => {
    await start({ '/order/1': (request) => request.socket.destroy() });
    const told: string[] = [];
    const observed = createAcmeGateway({
      directoryUrl: `${ca.url}/dir`,
      timeoutMs: TIMEOUT_MS,
      onRequest: ({ method, url, status }) => told.push(`${method} ${new URL(url).pathname} ${status}`),
    });
    await problemOf(observed.getOrder(account, `${ca.url}/order/1`));
    observed.close();
    expect(told).toEqual(['GET /dir 200', 'HEAD /nonce 200', 'POST /order/1 null']);
  });
});
