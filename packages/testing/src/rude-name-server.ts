import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as packet from 'dns-packet';

export interface RudeQuery {
  bytes: Buffer;
  id: number;
  name: string;
}

/** What a server does with a query; without `tcp` it takes the connection and says nothing. */
export interface Rudeness {
  udp?(query: RudeQuery, send: (reply: Buffer, from?: 'another port') => void): void;
  tcp?(query: RudeQuery, socket: Socket): void;
}

export interface RudeNameServer {
  /** Every query over UDP: its id and the port it came from. */
  seen: { id: number; port: number }[];
  behave(how: Rudeness): void;
  close(): Promise<void>;
}

/** A name server over UDP and TCP that does what no honest one does. */
export async function startRudeNameServer(address: string, port: number): Promise<RudeNameServer> {
  let rudeness: Rudeness = {};
  const seen: RudeNameServer['seen'] = [];
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.on('data', (bytes) => rudeness.tcp?.(queryOf(bytes.subarray(2)), socket));
  }).listen(port, address);
  await once(tcp, 'listening');
  const udp = createSocket('udp4').bind(port, address);
  const elsewhere = createSocket('udp4').bind(0, address);
  await Promise.all([once(udp, 'listening'), once(elsewhere, 'listening')]);
  let closing = false;
  udp.on('message', (bytes, from) => {
    const query = queryOf(bytes);
    seen.push({ id: query.id, port: from.port });
    rudeness.udp?.(query, (reply, whence) => {
      // Who asked may be gone as well.
      if (!closing) (whence ? elsewhere : udp).send(reply, from.port, from.address, () => undefined);
    });
  });
  return {
    seen,
    behave: (how) => void (rudeness = how),
    async close() {
      closing = true;
      const closed = [udp, elsewhere, tcp].map((one) => once(one, 'close'));
      udp.close();
      elsewhere.close();
      tcp.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function queryOf(bytes: Buffer): RudeQuery {
  const { id = 0, questions = [] } = packet.decode(bytes);
  return { bytes, id, name: questions[0]?.name ?? '' };
}

/** The honest answer to a query, with changes. */
export const answerTo = ({ id, bytes, name }: RudeQuery, value: string, change: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({
    type: 'response',
    id,
    flags: packet.AUTHORITATIVE_ANSWER,
    questions: packet.decode(bytes).questions ?? [],
    answers: [{ type: 'TXT', name, ttl: 1, data: [value] }],
    ...change,
  });

/** As TCP wants it, with the length in front. */
export function framed(reply: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(reply.length);
  return Buffer.concat([length, reply]);
}

type MakeReply = (query: RudeQuery) => Buffer;

const alike = (reply: MakeReply): Rudeness => ({
  udp: (query, send) => send(reply(query)),
  tcp: (query, socket) => void socket.end(framed(reply(query))),
});

const overTcp = (tcp: Rudeness['tcp']): Rudeness => ({
  udp: (query, send) => send(answerTo(query, '', { flags: packet.TRUNCATED_RESPONSE, answers: [] })),
  ...(tcp && { tcp }),
});

const withRecords = (query: RudeQuery, flags: number, section: 6 | 8, records: Buffer[]): Buffer => {
  const head = answerTo(query, '', { flags, answers: [] });
  head.writeUInt16BE(records.length, section);
  return Buffer.concat([head, ...records]);
};

const record = (owner: number, type: number, data: Buffer): Buffer => {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(0xc000 | owner, 0);
  fixed.writeUInt16BE(type, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
};

const QUESTION = 12;
const NS = 2;
const TXT = 16;
const GARBAGE_PACKETS = 5_000;
const GARBAGE_AT_ONCE = 20;

/** One byte after the other, until the client has had enough. */
function drip(socket: Socket, bytes: Buffer, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at, (at += 1))), everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** An alias that is one label longer than the name. */
const longerAlias = (query: RudeQuery): packet.Answer[] => [{ type: 'CNAME', name: query.name, ttl: 1, data: `a.${query.name}` }];

/** Hosts below the name that is asked for, each in 19 bytes. */
const manyServers = Array.from({ length: 500 }, (_, index) =>
  record(QUESTION, NS, Buffer.concat([Buffer.from(`\u0004n${String(index).padStart(3, '0')}`), Buffer.from([0xc0, QUESTION])])),
);

/** What no honest server does. `value` is what an honest one would answer with. */
export const rudenesses = (value: string) =>
  ({
    'another id': alike((query) => answerTo(query, value, { id: query.id ^ 0x5555 })),
    'the answer to another question': alike((query) => answerTo(query, value, { questions: [{ type: 'TXT', name: 'other.test' }] })),
    'a query instead of an answer': alike((query) => answerTo(query, value, { type: 'query' })),
    'a name that points to itself': alike((query) => {
      const reply = withRecords(query, packet.AUTHORITATIVE_ANSWER, 6, []);
      reply.writeUInt16BE(1, 6);
      return Buffer.concat([reply, record(reply.length, TXT, Buffer.from([0]))]);
    }),
    'texts past the end': alike((query) => {
      const past = record(QUESTION, TXT, Buffer.alloc(15_000));
      past.writeUInt16BE(0xffff, 10);
      const reply = withRecords(query, packet.AUTHORITATIVE_ANSWER, 6, [past]);
      reply.writeUInt16BE(1_300, 6);
      return reply;
    }),
    silence: {},
    'an answer from another port': { udp: (query, send) => send(answerTo(query, value), 'another port') },
    '65,535 bytes over TCP': overTcp((query, socket) => {
      const reply = answerTo(query, value);
      socket.end(framed(Buffer.concat([reply, Buffer.alloc(65_535 - reply.length)])));
    }),
    'TCP a byte a second': overTcp((query, socket) => drip(socket, framed(answerTo(query, value)), 1_000)),
    'TCP a byte at a time': overTcp((query, socket) => drip(socket, framed(answerTo(query, value)), 1)),
    'TCP that says nothing': overTcp(undefined),
    'thousands of garbage packets': {
      udp(query, send) {
        const flood = async (): Promise<void> => {
          for (let sent = 0; sent < GARBAGE_PACKETS; sent += 1) {
            send(Buffer.concat([query.bytes.subarray(0, 2), Buffer.alloc(1_000, sent)]));
            // More at once than fit into the client's buffer get lost.
            if (sent % GARBAGE_AT_ONCE === 0) await nextTurn();
          }
        };
        void flood();
      },
      tcp: (query, socket) => void socket.end(framed(answerTo(query, value))),
    },
    'endless aliases, each longer': alike((query) => answerTo(query, value, { answers: longerAlias(query) })),
    'five hundred name servers': alike((query) => withRecords(query, 0, 8, manyServers)),
  }) satisfies Record<string, Rudeness>;
