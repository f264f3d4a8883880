import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as packet from 'dns-packet';
import { createRateLimit } from '../rate-limit';
import { startNameServer } from '../server';
import { check } from './check';
import { APEX, lookup, ZONE } from './corpus';

const HOST = '127.0.0.1';
/** What a name server takes over TCP, and what goes through loopback in one datagram. */
const MAX_TCP_QUERY = 4_096;
const MAX_DATAGRAM = 65_507;
const TIMEOUT_MS = 2_000;
const LAST_ID = 0xfffe;

export interface FuzzedServer {
  /** One after the other, to a running name server. @throws Error where it answers anything else than it should, or no more */
  overUdp(messages: Buffer[]): Promise<void>;
  overTcp(messages: Buffer[]): Promise<void>;
  close(): Promise<void>;
}

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const port = await freePort();
  const rateLimit = createRateLimit(Infinity);
  const server = await startNameServer({ zone: ZONE, lookup, rateLimit, listen: [{ address: HOST, port }], seen: () => undefined });
  return {
    overUdp: (messages) => overUdp(messages.filter(({ length }) => length <= MAX_DATAGRAM), port),
    overTcp: (messages) => overTcp(messages, port),
    close: server.close,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const inTime = async (done: Promise<unknown>, what: string): Promise<void> => {
  const over = new AbortController();
  const late = sleep(TIMEOUT_MS, true, { signal: over.signal }).catch(() => false);
  const isLate = await Promise.race([done.then(() => false), late]);
  over.abort();
  if (isLate) throw new Error(`${what}: no answer any more`);
};

const isPresent = (bytes: Buffer | null): bytes is Buffer => bytes !== null;

async function overUdp(messages: Buffer[], port: number): Promise<void> {
  const last = packet.encode({ type: 'query', id: LAST_ID, questions: [{ name: `one.${APEX}`, type: 'TXT' }] });
  const wanted = [...messages, last].map((message) => check(message).udp).filter(isPresent);
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  try {
    const answered = new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        got.push(bytes);
        if (bytes.readUInt16BE(0) === LAST_ID) resolve();
      });
    });
    for (const message of [...messages, last]) socket.send(message, port, HOST);
    await inTime(answered, 'UDP');
    if (!Buffer.concat(got).equals(Buffer.concat(wanted))) throw new Error('UDP: other answers than there should be');
  } finally {
    socket.close();
  }
}

const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);

async function overTcp(messages: Buffer[], port: number): Promise<void> {
  const replies = messages.map((message) => (message.length > MAX_TCP_QUERY ? null : check(message).tcp));
  const end = replies.indexOf(null); // where the connection is to be closed
  const wanted = Buffer.concat((end < 0 ? replies : replies.slice(0, end)).filter(isPresent).map(framed));
  const socket = connect({ host: HOST, port });
  const got: Buffer[] = [];
  socket.on('data', (bytes) => got.push(bytes)).on('error', () => undefined);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  try {
    const all = Buffer.concat(messages.filter(({ length }) => length <= 0xffff).map(framed));
    socket.write(all.subarray(0, all.length >> 1));
    socket.end(all.subarray(all.length >> 1));
    await inTime(closed, 'TCP');
    const bytes = Buffer.concat(got);
    // What is on its way when a connection is reset may be lost.
    if (end < 0 ? !bytes.equals(wanted) : !wanted.subarray(0, bytes.length).equals(bytes)) throw new Error('TCP: other answers than there should be');
  } finally {
    socket.destroy();
  }
}
