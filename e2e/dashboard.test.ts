import { type Stack, startStack } from '@certwright/testing';

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('the queue dashboard', () => {
  let stack: Stack;
  const at = (path: string, init: RequestInit = {}) => fetch(`${stack.apiProcess.url}/admin/queues${path}`, init);
  const asOperator = () => ({ authorization: basic('operator', stack.secrets.adminPassword) });

  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', env: { POLL_INTERVAL: '3s' } });
  }, 60_000);
  afterAll(() => stack.stop());

  it.each([
    ['nobody', undefined],
    ['a wrong password', basic('operator', 'wrong')],
    ['a wrong user', basic('admin', 'right')],
    ['the API’s key', 'Bearer x'],
  ])('lets %s in nowhere', async (_who, authorization) => {
    for (const path of ['', '/', '/api/queues', '/static/js/main.js']) {
      const reply = await at(path, authorization ? { headers: { authorization } } : {});
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toMatch(/^Basic/);
    }
  });

  it('shows delayed and failed jobs with their reasons', async () => {
    const waiting = await stack.verifiedDomain('waiting.customer.test');
    const { body } = await stack.api.issue(waiting.id);
    let text = '';
    for (let tries = 0; tries < 50 && !text.includes('dns_not_ready'); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      text = await (await at('/api/queues?activeQueue=await-dns&status=delayed', { headers: asOperator() })).text();
    }
    expect(text).toContain(body.order_id);
    expect(text).toContain('dns_not_ready');
    expect(text).toContain('_acme-challenge.waiting.customer.test');
  });

  it('lists every queue', async () => {
    const { queues } = (await (await at('/api/queues', { headers: asOperator() })).json()) as {
      queues: { name: string; readOnlyMode: boolean }[];
    };
    expect(queues.map(({ name }) => name).sort()).toEqual(['await-dns', 'finalize-order', 'place-order', 'reconcile', 'renew-due', 'watch-delegation']);
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
  });

  it('changes nothing unless BULL_BOARD_WRITE is set', async () => {
    const reply = await at('/api/queues/await-dns/pause', { method: 'PUT', headers: asOperator() });
    expect(reply.status).toBeGreaterThanOrEqual(400);
    const { queues } = (await (await at('/api/queues', { headers: asOperator() })).json()) as { queues: { isPaused: boolean }[] };
    expect(queues.some(({ isPaused }) => isPaused)).toBe(false);
  });

  it('refuses a write that another site’s page makes', async () => {
    const reply = await at('/api/queues/await-dns/pause', {
      method: 'PUT',
      headers: { ...asOperator(), origin: 'https://elsewhere.test' },
    });
    expect(reply.status).toBe(403);
  });

  it('loads nothing from outside', async () => {
    const reply = await at('/', { headers: asOperator() });
    const policy = reply.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https?:/);
  });

  it('is not there without ADMIN_PASSWORD', async () => {
    const without = await startStack({ queue: 'postgres', env: { ADMIN_PASSWORD: '' } });
    const reply = await fetch(`${without.apiProcess.url}/admin/queues`, { headers: { authorization: `Bearer ${without.secrets.authToken}` } });
    expect(reply.status).toBe(404);
    await without.stop();
  }, 60_000);
});

describe('the API’s own documentation', () => {
  it('is served from our own disk, and describes what the API answers', async () => {
    const stack = await startStack({ queue: 'postgres' });
    const url = stack.apiProcess.url;
    for (const path of ['/docs', '/docs/start.js', '/docs/assets/swagger-ui-bundle.js', '/docs/assets/swagger-ui.css']) {
      const reply = await fetch(url + path);
      expect(reply.status).toBe(200);
      await reply.arrayBuffer(); // or its connection stays open
    }
    const page = await (await fetch(`${url}/docs`)).text();
    expect(page).not.toMatch(/https?:\/\//);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { openapi: string; paths: Record<string, object> };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toContain('/domains/{id}/issue-certificate');
    await stack.stop();
  }, 60_000);
});
