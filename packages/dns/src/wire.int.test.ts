import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import * as packet from 'dns-packet';
import fc from 'fast-check';
import { createResolvers } from './resolver';
import { DnsWireError, query, type ServerAddress } from './wire';

/** An address of its own: on 127.0.0.1 a free port may be some client's. */
const HOST = '127.0.0.21';

const QUESTION = { name: '_acme-challenge.a.test', type: 'TXT' } as const;

/** The query's own bytes, made a response with one TXT record. */
function answerTo(bytes: Buffer, change: Partial<packet.Packet> = {}): Buffer {
  const { id = 0, questions = [] } = packet.decode(bytes);
  const flags = packet.AUTHORITATIVE_ANSWER;
  const answers: packet.Answer[] = [{ type: 'TXT', name: questions[0]?.name ?? '', ttl: 1, data: ['v'] }];
  return packet.encode({ type: 'response', id, flags, questions, answers, ...change });
}

describe('one query to one server', () => {
  let udp: Socket;
  let tcp: Server;
  let server: ServerAddress;
  let onUdp: (bytes: Buffer) => Buffer[];
  let onTcp: (socket: TcpSocket, bytes: Buffer) => void;
  let overTcp: number;

  beforeEach(async () => {
    onUdp = () => [];
    onTcp = () => undefined;
    overTcp = 0;
    tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        overTcp += 1;
        onTcp(socket, bytes.subarray(2));
      });
    }).listen(0, HOST);
    await once(tcp, 'listening');
    const at = tcp.address();
    const port = typeof at === 'object' && at ? at.port : 0;
    udp = createSocket('udp4').bind(port, HOST);
    await once(udp, 'listening');
    udp.on('message', (bytes, from) => {
      for (const reply of onUdp(bytes)) udp.send(reply, from.port, from.address);
    });
    server = { address: HOST, port };
  });
  afterEach(async () => {
    udp.close();
    tcp.close();
    await once(tcp, 'close');
  });

  const framed = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const codeOf = async (timeoutMs = 300): Promise<unknown> =>
    query(QUESTION, server, { timeoutMs }).then(
      () => 'a reply',
      (error: unknown) => (error instanceof DnsWireError ? error.code : error),
    );

  it('takes the answer whatever the case of its question', async () => {
    onUdp = (bytes) => [answerTo(bytes, { questions: [{ ...QUESTION, name: '_ACME-challenge.A.test' }] })];
    expect(await codeOf()).toBe('a reply');
    expect(overTcp).toBe(0);
  });

  it.each<[string, (bytes: Buffer) => Partial<packet.Packet>]>([
    ['another id', (bytes) => ({ id: (packet.decode(bytes).id ?? 0) ^ 1 })],
    ['another name', () => ({ questions: [{ ...QUESTION, name: '_acme-challenge.b.test' }] })],
    ['another type', () => ({ questions: [{ ...QUESTION, type: 'A' }] })],
    ['no question', () => ({ questions: [] })],
    ['the form of a query', () => ({ type: 'query' })],
  ])('a packet with %s is ignored, and the answer after it is taken', async (_what, change) => {
    onUdp = (bytes) => [answerTo(bytes, change(bytes))];
    expect(await codeOf()).toBe('timeout');
    onUdp = (bytes) => [answerTo(bytes, change(bytes)), Buffer.from('garbage'), answerTo(bytes)];
    expect(await codeOf()).toBe('a reply');
  });

  it('ignores what comes from anybody else', async () => {
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    udp.on('message', (bytes, from) => other.send(answerTo(bytes), from.port, from.address));
    expect(await codeOf()).toBe('timeout');
    other.close();
  });

  it('asks for EDNS of 1232 bytes and for no recursion, with another id each time', async () => {
    const seen: packet.DecodedPacket[] = [];
    onUdp = (bytes) => {
      seen.push(packet.decode(bytes));
      return [answerTo(bytes)];
    };
    for (let n = 0; n < 5; n += 1) await codeOf();
    expect(seen[0]).toMatchObject({ flag_rd: false, flag_cd: false, additionals: [{ type: 'OPT', udpPayloadSize: 1_232 }] });
    expect(new Set(seen.map(({ id }) => id)).size).toBeGreaterThan(3);
  });

  it('a truncated answer is asked for again over TCP, which may bring 16 KiB in pieces', async () => {
    onUdp = (bytes) => [answerTo(bytes, { flags: packet.TRUNCATED_RESPONSE, answers: [] })];
    const data = Array.from({ length: 64 }, () => 'x'.repeat(250));
    onTcp = (socket, bytes) => {
      const reply = framed(answerTo(bytes, { answers: [{ type: 'TXT', name: QUESTION.name, ttl: 1, data }] }));
      socket.write(reply.subarray(0, 1));
      setTimeout(() => socket.write(reply.subarray(1, 1_000)), 10);
      setTimeout(() => socket.write(reply.subarray(1_000)), 20);
    };
    const reply = await query(QUESTION, server, { timeoutMs: 2_000 });
    const [record] = reply.answers ?? [];
    expect(record?.type === 'TXT' && record.data).toHaveLength(64);
  });

  it('asks a resolver for recursion, and not to hide a zone whose DNSSEC is broken', async () => {
    const seen: packet.DecodedPacket[] = [];
    onUdp = (bytes) => {
      seen.push(packet.decode(bytes));
      return [answerTo(bytes)];
    };
    await createResolvers([server])(() => 300).ask(QUESTION);
    expect(seen).toMatchObject([{ flag_rd: true, flag_cd: true }]);
  });

  it('asks over TCP when nothing comes over UDP', async () => {
    onTcp = (socket, bytes) => socket.end(framed(answerTo(bytes)));
    expect(await codeOf()).toBe('a reply');
    expect(overTcp).toBe(1);
  });

  it.each<[string, string, (socket: TcpSocket, bytes: Buffer) => void]>([
    ['says nothing', 'timeout', () => undefined],
    ['sends a byte now and then', 'timeout', (socket) => {
      const drip = setInterval(() => socket.write('\x10'), 20);
      socket.on('close', () => clearInterval(drip));
    }],
    ['closes', 'unreachable', (socket) => socket.end()],
    ['resets', 'unreachable', (socket) => socket.resetAndDestroy()],
    ['closes in the middle', 'malformed', (socket, bytes) => socket.end(framed(answerTo(bytes)).subarray(0, 20))],
    ['answers something else', 'malformed', (socket, bytes) => socket.end(framed(answerTo(bytes, { id: 0, questions: [] })))],
    ['answers garbage', 'malformed', (socket) => socket.end(framed(Buffer.from('garbage')))],
    ['announces more than anybody needs', 'malformed', (socket) => socket.write(Buffer.from([0xff, 0xff]))],
    ['floods', 'malformed', (socket) => socket.write(Buffer.alloc(5_000_000))],
  ])('TCP that %s is %s, in time', async (_what, code, behave) => {
    onTcp = behave;
    const startedAt = performance.now();
    expect(await codeOf()).toBe(code);
    expect(performance.now() - startedAt).toBeLessThan(600);
  });

  it('unreadable UDP is malformed when TCP brings nothing better', async () => {
    onUdp = () => [Buffer.from('garbage')];
    expect(await codeOf()).toBe('malformed');
  });

  it('a port on which nothing listens is unreachable at once', async () => {
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    free.close();
    const startedAt = performance.now();
    const asked = query(QUESTION, { address: '127.0.0.1', port }, { timeoutMs: 2_000 });
    await expect(asked).rejects.toMatchObject({ name: 'DnsWireError', code: 'unreachable' });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it.each([
    ['255.255.255.255', 53],
    ['fe80::1', 53],
    ['127.0.0.1', 0],
    ['127.0.0.1', 70_000],
  ])('%s port %i, which no socket can be connected to, is unreachable', async (address, port) => {
    const asked = query(QUESTION, { address, port }, { timeoutMs: 300 });
    await expect(asked).rejects.toMatchObject({ name: 'DnsWireError', code: 'unreachable' });
  });

  it('whatever bytes come back, a query ends in a reply or a DnsWireError, in time', async () => {
    const noise = fc.uint8Array({ maxLength: 300 });
    const flips = fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 255 })), { maxLength: 12 });
    const cut = fc.nat(200);
    await fc.assert(
      fc.asyncProperty(noise, flips, cut, fc.constantFrom('noise', 'mutated', 'tail'), async (bytes, changes, length, how) => {
        const hostile = (asked: Buffer): Buffer => {
          if (how === 'noise') return Buffer.from(bytes);
          const reply = answerTo(asked);
          if (how === 'tail') return Buffer.concat([reply.subarray(0, 12 + length), Buffer.from(bytes)]);
          for (const [at, mask] of changes) reply[at % reply.length] = (reply[at % reply.length] ?? 0) ^ mask;
          return reply;
        };
        onUdp = (asked) => [hostile(asked)];
        onTcp = (socket, asked) => socket.end(framed(hostile(asked)));
        const startedAt = performance.now();
        expect(['a reply', 'timeout', 'unreachable', 'malformed']).toContain(await codeOf(25));
        expect(performance.now() - startedAt).toBeLessThan(400);
      }),
      { numRuns: 300 },
    );
  });
});
