import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startHealthServer } from './health';

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
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

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

  it('says so when its port is taken', async () => {
    const { port } = server.address() as AddressInfo;
    await expect(startHealthServer(port, {})).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
