import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startHealthServer } from './health';
import { createMetrics } from './metrics';

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

describe('the health server', () => {
  let isUp = true;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = await startHealthServer(0, {
      queue: () => {
        if (!isUp) throw new Error('gone');
        return Promise.resolve();
      },
    });
    origin = originOf(server);
  });

  afterAll(() => close(server));

  const get = async (path: string): Promise<[number, unknown]> => {
    const response = await fetch(origin + path);
    return [response.status, await response.json()];
  };

  it('is ready while its checks pass, and alive all the time', async () => {
    expect(await get('/readyz')).toEqual([200, { ok: true, checks: { queue: 'ok' } }]);
    isUp = false;
    expect(await get('/readyz')).toEqual([503, { ok: false, checks: { queue: 'failing' } }]);
    expect(await get('/healthz')).toEqual([200, { status: 'ok' }]);
    isUp = true;
    expect((await get('/readyz'))[0]).toBe(200);
  });

  it('has nothing else', async () => {
    expect((await get('/metrics'))[0]).toBe(404);
  });

  it('has metrics when it is given some', async () => {
    const metrics = createMetrics({ service: 'worker' });
    metrics.leaseLost();
    const withMetrics = await startHealthServer(0, {}, metrics);
    try {
      const response = await fetch(`${originOf(withMetrics)}/metrics`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      const lines = (await response.text()).split('\n');
      expect(lines).toContain('certwright_lease_losses_total{service="worker"} 1');
    } finally {
      await close(withMetrics);
    }
  });

  it('outlives metrics that fail', async () => {
    const text = async () => Promise.reject(new Error('hunter2'));
    const withMetrics = await startHealthServer(0, {}, { contentType: 'text/plain', text });
    try {
      const response = await fetch(`${originOf(withMetrics)}/metrics`);
      expect([response.status, await response.json()]).toEqual([500, { status: 'failed' }]);
      expect((await fetch(`${originOf(withMetrics)}/healthz`)).status).toBe(200);
    } finally {
      await close(withMetrics);
    }
  });

  it('says so when its port is taken', async () => {
    const { port } = server.address() as AddressInfo;
    await expect(startHealthServer(port, {})).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
