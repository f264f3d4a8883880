import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import * as packet from 'dns-packet';

export interface ServerAddress {
  address: string;
  port: number;
}

export interface Question {
  name: string;
  type: 'TXT' | 'SOA' | 'NS' | 'A' | 'AAAA' | 'CNAME';
}

export interface QueryOptions {
  /** Bound of the whole exchange, UDP and TCP together, in milliseconds. */
  timeoutMs: number;
  /** Asks a resolver to do the work; never set for authoritative servers. */
  recursionDesired?: boolean;
  /** Asks a resolver not to validate DNSSEC (RFC 4035 section 3.2.2). */
  checkingDisabled?: boolean;
}

/** dns-packet's types leave out the response code, by name (RFC 6895 section 2.3). */
export type DnsReply = packet.DecodedPacket & { rcode: string };

/** Why there is no reply; the only error that leaves this file. */
export class DnsWireError extends Error {
  constructor(
    readonly code: 'timeout' | 'unreachable' | 'malformed',
    detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.name = 'DnsWireError';
  }
}

/** No fragments on any path (DNS flag day 2020). */
const EDNS_UDP_SIZE = 1_232;

/** The share of the time that UDP gets before TCP is tried. */
const UDP_SHARE = 0.6;

/**
 * Asks one server one question: over UDP with EDNS (RFC 6891), over TCP when the answer is truncated or doesn't come
 * (RFC 7766). A packet that is not the answer to this very question is ignored: anybody can send one.
 * @throws DnsWireError
 */
export async function query(question: Question, server: ServerAddress, options: QueryOptions): Promise<DnsReply> {
  const giveUpAt = performance.now() + options.timeoutMs;
  try {
    const reply = await overUdp(makeQuery(question, options), server, options.timeoutMs * UDP_SHARE);
    if (!reply.flag_tc) return reply;
  } catch (error) {
    // Nobody listens on UDP: nobody will on TCP.
    if (!(error instanceof DnsWireError) || error.code !== 'timeout') throw error;
  }
  return overTcp(makeQuery(question, options), server, Math.max(1, giveUpAt - performance.now()));
}

function makeQuery({ name, type }: Question, { recursionDesired, checkingDisabled }: QueryOptions): packet.Packet {
  return {
    type: 'query',
    id: randomInt(65_536),
    flags: (recursionDesired ? packet.RECURSION_DESIRED : 0) | (checkingDisabled ? packet.CHECKING_DISABLED : 0),
    questions: [{ type, name }],
    additionals: [
      { type: 'OPT', name: '.', udpPayloadSize: EDNS_UDP_SIZE, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
    ],
  };
}

/** Null for bytes that can't be read: dns-packet throws whatever it stumbles over. */
function decode(bytes: Buffer): DnsReply | null {
  try {
    return packet.decode(bytes) as DnsReply;
  } catch {
    return null;
  }
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function answers(reply: DnsReply | null, asked: packet.Packet): reply is DnsReply {
  const [theirs] = reply?.questions ?? [];
  const [ours] = asked.questions ?? [];
  if (!reply || !theirs || !ours) return false;
  return reply.type === 'response' && reply.id === asked.id && theirs.type === ours.type && same(theirs.name, ours.name);
}

function overUdp(asked: packet.Packet, { address, port }: ServerAddress, timeoutMs: number): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    // A socket of its own: a random source port, and connected, so that the kernel drops what others send.
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new DnsWireError('timeout', `${address} does not answer`))),
      timeoutMs,
    );
    socket.on('error', (cause) => end(() => reject(unreachable(address, cause))));
    socket.on('message', (bytes) => {
      const reply = decode(bytes);
      if (answers(reply, asked)) end(() => resolve(reply));
    });
    socket.connect(port, address, () => socket.send(packet.encode(asked)));
  });
}

function overTcp(asked: packet.Packet, { address, port }: ServerAddress, timeoutMs: number): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    let received = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (error: DnsWireError): void => end(() => reject(error));
    const timer = setTimeout(() => fail(new DnsWireError('timeout', `${address} does not answer over TCP`)), timeoutMs);
    socket.on('error', (cause) => fail(unreachable(address, cause)));
    socket.on('close', () => fail(new DnsWireError('malformed', `${address} closed the connection without an answer`)));
    socket.on('connect', () => {
      const message = packet.encode(asked);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // The length in front bounds it to 64 KiB (RFC 1035 section 4.2.2).
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const reply = decode(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (answers(reply, asked)) end(() => resolve(reply));
      else fail(new DnsWireError('malformed', `${address} answers something else than was asked`));
    });
  });
}

const unreachable = (address: string, cause: Error): DnsWireError =>
  new DnsWireError('unreachable', `${address} cannot be reached`, { cause });
