import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { mutant, type Random } from './mutate';

export interface MutantServer {
  address: string;
  port: number;
  /** The last mutants sent, in hexadecimal. */
  sent(): string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const LENGTH_BYTES = 2;
const KEPT = 50;
/** What goes through loopback in one datagram. */
const MAX_DATAGRAM = 65_507;
/** How many of the replies have the id of the query: the others are ignored. */
const RIGHT_ID = 0.9;

/** A server over UDP and TCP whose every reply is a mutant, in pieces over TCP. */
export async function startMutantServer(random: Random): Promise<MutantServer> {
  const last: string[] = [];
  const sockets = new Set<Socket>();
  const replyTo = (asked: Buffer): Buffer => {
    const bytes = Buffer.from(mutant(random)).subarray(0, MAX_DATAGRAM);
    if (bytes.length >= 2 && asked.length >= 2 && random() < RIGHT_ID) asked.copy(bytes, 0, 0, 2);
    last.push(bytes.toString('hex'));
    if (last.length > KEPT) last.shift();
    return bytes;
  };
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.on('data', (asked) => {
      const bytes = replyTo(asked.subarray(LENGTH_BYTES));
      const framed = Buffer.alloc(LENGTH_BYTES + bytes.length);
      // Now and then not the length that it has.
      framed.writeUInt16BE(random() < RIGHT_ID ? bytes.length : Math.floor(random() * 65_536));
      bytes.copy(framed, LENGTH_BYTES);
      const cut = Math.floor(random() * framed.length);
      socket.write(framed.subarray(0, cut));
      socket.end(framed.subarray(cut));
    });
  }).listen(0, HOST);
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4').bind(port, HOST);
  await once(udp, 'listening');
  udp.on('message', (asked, from) => udp.send(replyTo(asked), from.port, from.address, () => undefined));
  return {
    address: HOST,
    port,
    sent: () => last.join(' '),
    async close() {
      const closed = [once(udp, 'close'), once(tcp, 'close')];
      udp.close();
      tcp.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}
