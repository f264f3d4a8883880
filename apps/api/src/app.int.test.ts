import { PassThrough } from 'node:stream';
import type { DomainStore } from '@certwright/core';
import { createLogger, createMetrics } from '@certwright/runtime';
import request from 'supertest';
import { type AppDeps, createApp } from './app';
import { openApiDocument } from './openapi';

const KEY = 'a-key-for-tests';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  text: string;
}

/** supertest's request, but for the type of the body. */
interface Call extends PromiseLike<Reply> {
  send(body: string | object): Call;
  set(name: string, value: string): Call;
  type(type: string): Call;
  expect(status: number): Call;
}

/** A store of which every method that is not given fails as a bug would. */
const broken = <T extends object>(given: Partial<T> = {}): T =>
  new Proxy(given as T, {
    get: (target, name): unknown =>
      Reflect.get(target, name) ??
      (async () => {
        throw new Error('connection to 10.0.0.7 refused, password=hunter2');
      }),
  });

function start(given: Partial<AppDeps> = {}) {
  const stream = new PassThrough();
  const lines: Record<string, unknown>[] = [];
  stream.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    }
  });
  const app = createApp({
    domains: broken(),
    orders: broken(),
    watch: broken(),
    certificates: broken(),
    renewals: broken(),
    events: broken(),
    news: broken(),
    txtLookup: broken(),
    dnsDoctor: broken(),
    setupLinks: broken(),
    publicUrl: null,
    acmeZone: null,
    directoryUrl: 'https://ca.test/dir',
    jobs: broken(),
    allowSpecialUseDomains: false,
    issueWaitMs: 0,
    phaseTimeoutMs: 1_000,
    keyType: 'ec-256',
    profile: null,
    logger: createLogger({ service: 'api', level: 'info', stream }),
    health: {},
    metrics: createMetrics({ processMetrics: false }),
    authToken: KEY,
    dashboard: null,
    ...given,
  });
  const api: Record<Method, (path: string) => Call> = request(app);
  return { api, lines };
}

const AUTHORIZATION = `Bearer ${KEY}`;
const emptyList = broken<DomainStore>({ list: async () => ({ data: [], nextCursor: null }) });

describe('the key', () => {
  it.each([
    ['none', undefined],
    ['a wrong one', 'Bearer wrong'],
    ['one that begins alike', `Bearer ${KEY}x`],
    ['the start of it', `Bearer ${KEY.slice(0, -1)}`],
    ['no scheme', KEY],
    ['another scheme', `Basic ${Buffer.from(`operator:${KEY}`).toString('base64')}`],
    ['the scheme alone', 'Bearer'],
    ['two of them', `Bearer ${KEY} ${KEY}`],
  ])('%s: 401, also for paths that are not there', async (_what, authorization) => {
    const { api } = start({ domains: emptyList });
    for (const path of ['/domains', '/nowhere']) {
      const call = api.get(path);
      const reply = await (authorization === undefined ? call : call.set('Authorization', authorization));
      expect(reply.status).toBe(401);
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(reply.body.code).toBe('unauthorized');
    }
  });

  it('is read before the body is', async () => {
    const { api } = start();
    await api.post('/domains').type('json').send('{').expect(401);
  });

  it('lets a request in, whatever the case of the scheme', async () => {
    const { api } = start({ domains: emptyList });
    await api.get('/domains').set('Authorization', AUTHORIZATION).expect(200);
    await api.get('/domains').set('Authorization', `bearer ${KEY}`).expect(200);
  });

  it('is not asked for where none is configured', async () => {
    const { api } = start({ authToken: null, domains: emptyList });
    await api.get('/domains').expect(200);
  });
});

describe('a request that cannot be served', () => {
  const send = (body: string, type: string) =>
    start().api.post('/domains').set('Authorization', AUTHORIZATION).set('Content-Type', type).send(body);

  it.each([
    ['broken JSON', '{"domain_name":', 'application/json', 400, 'malformed_request'],
    ['JSON that is no object', '"shop.example.com"', 'application/json', 400, 'malformed_request'],
    ['a form', 'domain_name=a.com', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['text', 'shop.example.com', 'text/plain', 415, 'unsupported_media_type'],
    ['an unknown charset', '{}', 'application/json; charset=nonsense', 415, 'unsupported_media_type'],
    ['too much', JSON.stringify({ domain_name: 'x'.repeat(65_536) }), 'application/json', 413, 'payload_too_large'],
  ])('%s', async (_what, body, type, status, code) => {
    const reply = await send(body, type);
    expect(reply.status).toBe(status);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(reply.body).toMatchObject({ code, status, request_id: reply.headers['x-request-id'] });
    expect(reply.body.error).toBe(reply.body.detail);
  });

  it('takes a body of just under 64 kB', async () => {
    const reply = await send(JSON.stringify({ domain_name: 'x'.repeat(65_000) }), 'application/json');
    expect(reply.body.code).toBe('validation_failed');
  });

  it('has a path that cannot be decoded: 400', async () => {
    const reply = await start().api.get('/domains/%zz').set('Authorization', AUTHORIZATION);
    expect(reply.status).toBe(400);
    expect(reply.body.code).toBe('malformed_request');
  });

  it.each([
    ['put', '/domains', 'POST, GET'],
    ['put', '/domains/7', 'GET, PATCH, DELETE'],
    ['get', '/domains/7/verify', 'POST'],
    ['get', '/domains/7/issue-certificate', 'POST'],
    ['delete', '/domains/7/certificate', 'GET'],
    ['post', '/orders/7', 'GET'],
  ] as const)('%s %s: 405 with what is allowed', async (method, path, allow) => {
    const reply = await start().api[method](path).set('Authorization', AUTHORIZATION);
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe(allow);
    expect(reply.body.code).toBe('method_not_allowed');
  });

  it.each(['/nowhere', '/domains/7/nowhere', '/admin/queues'])('%s: 404', async (path) => {
    const reply = await start().api.get(path).set('Authorization', AUTHORIZATION);
    expect(reply.status).toBe(404);
    expect(reply.body.code).toBe('not_found');
  });

  it('an error nobody foresaw is a 500 that says nothing of it, and a log line that does', async () => {
    const { api, lines } = start();
    const reply = await api
      .get('/domains')
      .set('Authorization', AUTHORIZATION)
      .set('X-Request-Id', 'request-0001')
      .expect(500);
    expect(reply.body).toMatchObject({ code: 'internal_error', request_id: 'request-0001' });
    expect(reply.text).not.toMatch(/hunter2|10\.0\.0\.7|stack|\.ts/);
    const line = lines.find(({ level }) => level === 'error');
    expect(line).toMatchObject({ requestId: 'request-0001' });
    expect(JSON.stringify(line)).toContain('10.0.0.7');
  });
});

describe('the request id', () => {
  it('is the caller’s own where it is sane, on the reply and on the log line', async () => {
    const { api, lines } = start({ domains: emptyList });
    const call = api.get('/domains').set('Authorization', AUTHORIZATION);
    const reply = await call.set('X-Request-Id', 'from-the-caller_1');
    expect(reply.headers['x-request-id']).toBe('from-the-caller_1');
    expect(lines).toMatchObject([
      { message: 'request', method: 'GET', path: '/domains', status: 200, requestId: 'from-the-caller_1' },
    ]);
  });

  it.each(['short', 'with a space in it', 'x'.repeat(129), '{"level":"error"}', '<script>alert(1)</script>'])(
    'is a new one where the caller sends %j',
    async (sent) => {
      const { api } = start({ domains: emptyList });
      const reply = await api.get('/domains').set('Authorization', AUTHORIZATION).set('X-Request-Id', sent);
      expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f]{8}-/);
    },
  );

  it('is on the lines that a request with a body logs, after the body has been read', async () => {
    const { api, lines } = start();
    await api
      .post('/domains')
      .set('Authorization', AUTHORIZATION)
      .set('X-Request-Id', 'request-0002')
      .send({ domain_name: 'shop.example.com' })
      .expect(500);
    expect(lines.map(({ requestId }) => requestId)).toEqual(['request-0002', 'request-0002']);
  });

  it('is on refusals too', async () => {
    const reply = await start().api.get('/domains').expect(401);
    expect(reply.body.request_id).toBe(reply.headers['x-request-id']);
  });
});

describe('health', () => {
  it('is told without a key', async () => {
    const { api } = start({ health: { database: async () => undefined, queue: async () => undefined } });
    expect((await api.get('/healthz').expect(200)).body).toEqual({ status: 'ok' });
    expect((await api.get('/readyz').expect(200)).body).toEqual({ ok: true, checks: { database: 'ok', queue: 'ok' } });
  });

  it('is alive but not ready while the queue is silent or the database fails, and says so in some 2 s', async () => {
    const { api } = start({
      health: {
        database: async () => {
          throw new Error('password=hunter2');
        },
        queue: () => new Promise(() => undefined),
      },
    });
    const startedAt = performance.now();
    const reply = await api.get('/readyz').expect(503);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(reply.body).toEqual({ ok: false, checks: { database: 'failing', queue: 'failing' } });
    await api.get('/healthz').expect(200);
  });
});

describe('the documentation', () => {
  it('loads nothing from elsewhere, under a policy that would not let it', async () => {
    const { api } = start();
    const page = await api.get('/docs').expect(200);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers['content-security-policy']).toMatch(/script-src 'self'(;|$)/);
    for (const [, path] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) await api.get(path ?? '').expect(200);
  });

  it('describes every path as it is: each operation is there, and no other method', async () => {
    const { paths } = (await start().api.get('/openapi.json').expect(200)).body as { paths: Record<string, object> };
    expect(Object.keys(paths)).not.toHaveLength(0);
    for (const [path, operations] of Object.entries(paths)) {
      const documented = Object.keys(operations).filter((one) => one !== 'parameters');
      const reply = await start().api.put(path.replace('{id}', '7')).set('Authorization', AUTHORIZATION).expect(405);
      const allowed = String(reply.headers.allow).split(', ').map((one) => one.toLowerCase());
      expect({ path, allowed: allowed.sort() }).toEqual({ path, allowed: documented.sort() });
    }
  });

  it('refers to no schema that it does not have', () => {
    const document = openApiDocument() as { components: { schemas: object } };
    const referred = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
    expect(referred).not.toHaveLength(0);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(referred));
  });
});
