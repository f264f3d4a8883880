import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeDnsPort } from '@certwright/testing';
import * as packet from 'dns-packet';
import { APEX, lookup, ZONE } from './fuzz/corpus';
import { createRateLimit } from './rate-limit';
import { type RunningNameServer, startNameServer } from './server';

const ADDRESS = '127.0.0.54';
const IDLE_MS = 300;

describe('the name server over TCP (RFC 7766)', () => {
  /** Patient as ever, and one that a test can wait for. */
  let patient: number;
  let impatient: number;
  const servers: RunningNameServer[] = [];
  const seen: string[] = [];
  const start = async (idle: { idleMs?: number }): Promise<number> => {
    const port = await freeDnsPort([ADDRESS]);
    const listen = [{ address: ADDRESS, port }];
    servers.push(await startNameServer({ zone: ZONE, lookup, rateLimit: createRateLimit(1), listen, seen: (transport, outcome) => void seen.push(`${transport} ${outcome}`), ...idle }));
    return port;
  };
  beforeAll(async () => {
    patient = await start({});
    impatient = await start({ idleMs: IDLE_MS });
  });
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
  const question = (id: number, name = `one.${APEX}`): Buffer => packet.encode({ type: 'query', id, questions: [{ type: 'TXT', name }] });

  /** Connected; its answers' ids so far, and when it is closed. */
  async function client(port = patient): Promise<{ socket: Socket; ids: number[]; closed: Promise<number>; until(count: number): Promise<void> }> {
    const socket = connect({ host: ADDRESS, port });
    await once(socket, 'connect');
    const startedAt = performance.now();
    const ids: number[] = [];
    let got = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      for (; got.length >= 2 && got.length >= 2 + got.readUInt16BE(0); got = got.subarray(2 + got.readUInt16BE(0))) ids.push(got.readUInt16BE(2));
    });
    socket.on('error', () => undefined); // a reset
    const closed = new Promise<number>((resolve) => socket.on('close', () => resolve(performance.now() - startedAt)));
    const until = async (count: number): Promise<void> => {
      for (const giveUpAt = performance.now() + 5_000; ids.length < count && performance.now() < giveUpAt; ) await sleep(5);
    };
    return { socket, ids, closed, until };
  }

  const first = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

  it('several questions at once are answered in their order, in whatever pieces they come', async () => {
    const { socket, ids, until } = await client();
    const all = Buffer.concat(first(5).map((id) => framed(question(id))));
    for (const [from, to] of [[0, 1], [1, 2], [2, 50], [50, all.length]]) {
      socket.write(all.subarray(from, to));
      await sleep(10);
    }
    await until(5);
    expect(ids).toEqual(first(5));
    socket.destroy();
  });

  it('two thousand long answers come whole, also when they are fetched late', async () => {
    const { socket, ids, until } = await client();
    socket.pause();
    for (const id of first(2_000)) socket.write(framed(question(id, `many.${APEX}`)));
    await sleep(IDLE_MS / 3);
    socket.resume();
    await until(2_000);
    expect(ids).toEqual(first(2_000));
    socket.destroy();
  });

  it('is closed when no question comes, and not before', async () => {
    const { socket, ids, closed, until } = await client(impatient);
    await sleep(IDLE_MS / 2);
    socket.write(framed(question(1)));
    await until(1);
    const lasted = await closed;
    expect(ids).toEqual([1]);
    expect(lasted).toBeGreaterThan(1.4 * IDLE_MS);
    expect(lasted).toBeLessThan(IDLE_MS + 5_000);
  });

  it('is closed as well when a question comes a byte at a time', async () => {
    const { socket, closed } = await client(impatient);
    const bytes = framed(question(1));
    const writing = (async () => {
      for (let at = 0; at < bytes.length && !socket.destroyed; at += 1) {
        socket.write(bytes.subarray(at, at + 1));
        await sleep(IDLE_MS / 4);
      }
    })();
    expect(await closed).toBeLessThan(IDLE_MS * 5);
    await writing;
  });

  it.each<[string, Buffer]>([
    ['more than any question has', Buffer.of(0x10, 0x01)],
    ['nothing', Buffer.of(0, 0)],
    ['an answer', framed(Buffer.from(question(9)).fill(0x80, 2, 3))],
  ])('%s ends it, after what was asked before', async (_what, bytes) => {
    const { socket, ids, closed } = await client();
    socket.write(Buffer.concat([framed(question(1)), bytes, framed(question(2))]));
    expect(await closed).toBeLessThan(5_000); // and not when it is idle
    expect(ids).toEqual([1]);
  });

  it('knows no limit: nobody can ask here under the address of another', () => {
    expect(seen.filter((one) => one === 'tcp answered').length).toBeGreaterThan(2_000);
    expect(seen).not.toContain('tcp limited');
  });
});
