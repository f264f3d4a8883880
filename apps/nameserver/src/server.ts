import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket as TcpSocket } from 'node:net';
import { answer, comeOverTcp, type Outcome } from './answer';
import { prefixOf, type RateLimit } from './rate-limit';
import { createZone, type LabelLookup, type Zone, type ZoneSettings } from './zone';

export interface NameServerOptions {
  zone: ZoneSettings;
  lookup: LabelLookup;
  rateLimit: RateLimit;
  listen: { address: string; port: number }[];
  /** Of each message, what became of it. */
  seen(transport: 'udp' | 'tcp', outcome: Outcome | 'limited'): void;
  /** After which a connection without a question is closed; default: IDLE_MS. */
  idleMs?: number;
}

type Place = NameServerOptions['listen'][number];
type Options = Omit<NameServerOptions, 'zone'> & { zone: Zone };

/** RFC 7766 section 6.2.3: a client may keep its connection while it has questions; it costs us little. */
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 500;
/** Of one network: others are to find a place, too. */
const MAX_PER_PREFIX = 50;

/** A question fits into far less; whoever announces more is no resolver. */
const MAX_QUERY_BYTES = 4_096;

/** Answers that a connection's client has not fetched: reading goes on when it has. */
const MAX_UNSENT_BYTES = 65_536;

const LENGTH_BYTES = 2;

export interface RunningNameServer {
  close(): Promise<void>;
}

/** Listens over UDP and TCP at every address. @throws Error where an address can't be listened at */
export async function startNameServer(options: NameServerOptions): Promise<RunningNameServer> {
  const zone = createZone(options.zone);
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => void (await Promise.all(closers.map((one) => one())));
  try {
    for (const place of options.listen) {
      closers.push(await overUdp(place, { ...options, zone }));
      closers.push(await overTcp(place, { ...options, zone }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

/** Answers go to where questions came from, which is an address: Node would look it up all the same, and wait a turn for that. */
const asItIs: NonNullable<SocketOptions['lookup']> = (address, _options, callback) => callback(null, address, address.includes(':') ? 6 : 4);

async function overUdp({ address, port }: Place, options: Options): Promise<() => Promise<unknown>> {
  const { zone, lookup, rateLimit, seen } = options;
  const socket: Socket = createSocket({ ...(isIPv6(address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' }), lookup: asItIs });
  let limited = 0;
  socket.on('message', (message, from) => {
    if (from.port === 0) return; // nobody can be answered there, and Node throws
    const respond = (bytes: Buffer | null): void => {
      if (bytes) socket.send(bytes, from.port, from.address);
    };
    if (!rateLimit.take(from.address, performance.now())) {
      limited += 1;
      seen('udp', 'limited');
      // Every other one: a resolver behind that address comes back over TCP, a flood gets less than it sent.
      if (limited % 2 === 0) respond(comeOverTcp(message));
      return;
    }
    const { outcome, bytes } = answer(message, zone, lookup, { isTcp: false });
    seen('udp', outcome);
    respond(bytes);
  });
  const listening = once(socket, 'listening'); // which it is at once: there is nothing to look up
  socket.bind(port, address);
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', () => undefined); // of one datagram: the next one may be fine
  return () => new Promise((resolve) => socket.close(() => resolve(null)));
}

async function overTcp({ address, port }: Place, options: Options): Promise<() => Promise<unknown>> {
  const open = new Set<TcpSocket>();
  const byPrefix = new Map<string, number>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const prefix = prefixOf(socket.remoteAddress ?? '');
    const count = (byPrefix.get(prefix) ?? 0) + 1;
    if (count > MAX_PER_PREFIX) return void socket.destroy();
    byPrefix.set(prefix, count);
    open.add(socket);
    socket.on('close', () => {
      open.delete(socket);
      const left = (byPrefix.get(prefix) ?? 1) - 1;
      if (left > 0) byPrefix.set(prefix, left);
      else byPrefix.delete(prefix);
    });
    converse(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen({ port, host: address, ...(isIPv6(address) && { ipv6Only: true }) });
  await once(server, 'listening');
  server.on('error', () => undefined);
  return () => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
}

/** Questions and answers of one connection, in order (RFC 7766 section 6.2.1.1: pipelined). */
function converse(socket: TcpSocket, { zone, lookup, seen, idleMs = IDLE_MS }: Options): void {
  let unread = Buffer.alloc(0);
  // A question has to be whole by then: a byte now and then keeps no connection.
  const idle = setTimeout(() => socket.destroy(), idleMs);
  socket.on('close', () => clearTimeout(idle));
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    while (unread.length >= LENGTH_BYTES) {
      const length = unread.readUInt16BE(0);
      if (length > MAX_QUERY_BYTES) return void socket.destroy();
      if (unread.length < LENGTH_BYTES + length) break;
      const { outcome, bytes } = answer(unread.subarray(LENGTH_BYTES, LENGTH_BYTES + length), zone, lookup, { isTcp: true });
      unread = unread.subarray(LENGTH_BYTES + length);
      idle.refresh();
      seen('tcp', outcome);
      if (!bytes) return void socket.destroy();
      const prefix = Buffer.alloc(LENGTH_BYTES);
      prefix.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([prefix, bytes]));
    }
    if (socket.writableLength > MAX_UNSENT_BYTES) socket.pause();
  });
}
