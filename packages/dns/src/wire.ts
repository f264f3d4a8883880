import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import * as packet from 'dns-packet';
import { decode, type DnsReply, MAX_MESSAGE_BYTES } from './message';

export interface ServerAddress {
  address: string;
  port: number;
}

export interface Question {
  name: string;
  type: 'TXT' | 'SOA' | 'NS' | 'A' | 'AAAA' | 'CNAME' | 'CAA';
}

export interface QueryOptions {
  /** Bound of the whole exchange, UDP and TCP together, in milliseconds. */
  timeoutMs: number;
  /** Asks a resolver to do the work; never set for authoritative servers. */
  recursionDesired?: boolean;
  /** Asks a resolver not to validate DNSSEC (RFC 4035 section 3.2.2). */
  checkingDisabled?: boolean;
}

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

/** What servers say to EDNS that don't know it (RFC 6891 section 7). */
const EDNS_UNKNOWN: ReadonlySet<string> = new Set(['FORMERR', 'NOTIMP']);

/**
 * Asks one server one question: over UDP with EDNS (RFC 6891), over TCP when the answer is truncated or doesn't come
 * (RFC 7766). A packet that is not the answer to this very question is ignored: anybody can send one.
 * @throws DnsWireError
 */
export async function query(question: Question, server: ServerAddress, options: QueryOptions): Promise<DnsReply> {
  const giveUpAt = performance.now() + options.timeoutMs;
  const reply = await exchange(question, server, { ...options, edns: true });
  if (!EDNS_UNKNOWN.has(reply.rcode)) return reply;
  return exchange(question, server, { ...options, edns: false, timeoutMs: Math.max(1, giveUpAt - performance.now()) });
}

type ExchangeOptions = QueryOptions & { edns: boolean };

async function exchange(question: Question, server: ServerAddress, options: ExchangeOptions): Promise<DnsReply> {
  const giveUpAt = performance.now() + options.timeoutMs;
  let garbled: DnsWireError | null = null;
  try {
    const reply = await overUdp(makeQuery(question, options), server, options.timeoutMs * UDP_SHARE);
    if (!reply.flag_tc) return reply;
  } catch (error) {
    // Nobody listens on UDP: nobody will on TCP.
    if (!(error instanceof DnsWireError) || error.code === 'unreachable') throw error;
    if (error.code === 'malformed') garbled = error;
  }
  try {
    return await overTcp(makeQuery(question, options), server, Math.max(1, giveUpAt - performance.now()));
  } catch (error) {
    throw garbled ?? error;
  }
}

interface Asked extends Question {
  id: number;
  bytes: Buffer;
}

const OPT: packet.Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: EDNS_UDP_SIZE,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function makeQuery(question: Question, { recursionDesired, checkingDisabled, edns }: ExchangeOptions): Asked {
  const id = randomInt(65_536);
  try {
    const bytes = packet.encode({
      type: 'query',
      id,
      flags: (recursionDesired ? packet.RECURSION_DESIRED : 0) | (checkingDisabled ? packet.CHECKING_DISABLED : 0),
      questions: [question],
      additionals: edns ? [OPT] : [],
    });
    return { ...question, id, bytes };
  } catch (cause) {
    throw new DnsWireError('malformed', 'this name cannot be asked for', { cause });
  }
}

function isAnswerTo(asked: Asked, reply: DnsReply): boolean {
  if (reply.type !== 'response' || reply.id !== asked.id) return false;
  const [question] = reply.questions ?? [];
  // A server that can't read the query may send the header alone.
  if (!question) return EDNS_UNKNOWN.has(reply.rcode);
  return question.type === asked.type && question.name.toLowerCase() === asked.name.toLowerCase();
}

/** A server that sends more of what is no answer is asked over TCP: reading all that it can send would be its way to keep us busy. */
const MAX_STRAYS = 100;

function overUdp(asked: Asked, { address, port }: ServerAddress, timeoutMs: number): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    // A socket of its own: a random source port, and connected, so that the kernel drops what others send.
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    let unreadable = false;
    let strays = 0;
    let over = false;
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const fail = (cause: Error): void => end(() => reject(unreachable(address, cause)));
    const silent = (): DnsWireError =>
      unreadable
        ? new DnsWireError('malformed', `${address} answers something unreadable`)
        : new DnsWireError('timeout', `${address} does not answer`);
    const timer = setTimeout(() => end(() => reject(silent())), timeoutMs);
    socket.on('error', fail);
    socket.on('message', (bytes) => {
      if (over) return;
      const reply = decode(bytes);
      if (reply && isAnswerTo(asked, reply)) return end(() => resolve(reply));
      unreadable ||= !reply;
      strays += 1;
      if (strays >= MAX_STRAYS) end(() => reject(silent()));
    });
    // `connect` with a callback would give its error to the callback, and `send` then throw at nobody.
    socket.once('connect', () => socket.send(asked.bytes));
    try {
      socket.connect(port, address);
    } catch (cause) {
      fail(cause as Error);
    }
  });
}

/** A message's length stands in front of it, in two bytes: 64 KiB at most (RFC 1035 section 4.2.2). */
const LENGTH_BYTES = 2;

function overTcp(asked: Asked, { address, port }: ServerAddress, timeoutMs: number): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const chunks: Buffer[] = [];
    let received = 0;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (error: DnsWireError): void => end(() => reject(error));
    const timer = setTimeout(() => fail(new DnsWireError('timeout', `${address} does not answer over TCP`)), timeoutMs);
    socket.on('error', (cause) => fail(unreachable(address, cause)));
    socket.on('close', () =>
      fail(
        received === 0
          ? new DnsWireError('unreachable', `${address} closes the connection without an answer`)
          : new DnsWireError('malformed', `${address} closes the connection in the middle of its answer`),
      ),
    );
    socket.on('connect', () => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(asked.bytes.length);
      socket.write(Buffer.concat([length, asked.bytes]));
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < LENGTH_BYTES) return;
      const [first = chunk] = chunks;
      const all = first.length < LENGTH_BYTES ? Buffer.concat(chunks) : first;
      const expected = LENGTH_BYTES + all.readUInt16BE(0);
      if (expected > LENGTH_BYTES + MAX_MESSAGE_BYTES) return fail(new DnsWireError('malformed', `${address} answers with more than any name has`));
      if (received < expected) return;
      const reply = decode(Buffer.concat(chunks).subarray(LENGTH_BYTES, expected));
      if (reply && isAnswerTo(asked, reply)) end(() => resolve(reply));
      else fail(new DnsWireError('malformed', `${address} answers something else than was asked`));
    });
  });
}

const unreachable = (address: string, cause: Error): DnsWireError =>
  new DnsWireError('unreachable', `${address} cannot be reached`, { cause });
