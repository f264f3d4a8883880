import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket as TcpSocket } from 'node:net';

/** The reply to one message; null for silence. */
export type Handle = (address: string, bytes: Buffer, transport: 'udp' | 'tcp') => Buffer | null | Promise<Buffer | null>;

export interface DnsListener {
  port: number;
  close(): Promise<void>;
}

/** How often a free TCP port may turn out to be taken on UDP or on another address. */
const MAX_ATTEMPTS = 5;

const TCP_IDLE_MS = 5_000;

/** Listens on one port of all addresses, over UDP and TCP; port 0: a free one. */
export async function listenDns(addresses: string[], port: number, handle: Handle): Promise<DnsListener> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listenOnce(addresses, port, handle);
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || port !== 0 || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function listenOnce(addresses: string[], wanted: number, handle: Handle): Promise<DnsListener> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((one) => one()));
  };
  let port = wanted;
  try {
    for (const address of addresses) {
      const tcp = await listenTcp(address, port, handle);
      closers.push(tcp.close);
      port = tcp.port;
      closers.push(await listenUdp(address, port, handle));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port, close };
}

async function listenUdp(address: string, port: number, handle: Handle): Promise<() => Promise<unknown>> {
  const socket: Socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  let isOpen = true;
  socket.on('message', (bytes, from) => {
    void Promise.resolve(handle(address, bytes, 'udp')).then((reply) => {
      // UDP: a reply that can't be sent is a reply that got lost, and who asked is gone.
      if (reply && isOpen) socket.send(reply, from.port, from.address, () => undefined);
    });
  });
  return () => {
    isOpen = false;
    const closed = once(socket, 'close');
    socket.close();
    return closed;
  };
}

async function listenTcp(address: string, port: number, handle: Handle): Promise<DnsListener> {
  const sockets = new Set<TcpSocket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      void Promise.resolve(handle(address, received.subarray(2, 2 + received.readUInt16BE(0)), 'tcp')).then((reply) => {
        if (reply) socket.end(framed(reply));
      });
    });
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const ANSWER_MS = 2_000;

/** What the name server at a port of 127.0.0.1 answers over TCP, where nothing is cut off; null: nothing. */
export function askAt(port: number, message: Buffer): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = Buffer.alloc(0);
    const end = (reply: Buffer | null): void => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(ANSWER_MS, () => end(null));
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) end(received.subarray(2, 2 + received.readUInt16BE(0)));
    });
    socket.write(framed(message));
  });
}

/** RFC 1035 section 4.2.2. */
function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
