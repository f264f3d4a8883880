import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { findDnsProgram, freeDnsPort, runDnsProgram } from '@certwright/testing';
import * as packet from 'dns-packet';
import { APEX, lookup, ZONE } from './fuzz/corpus';
import { createRateLimit } from './rate-limit';
import { type RunningNameServer, startNameServer } from './server';

const ADDRESS = '127.0.0.55';
const ID = 7;
const [FORMERR, NXDOMAIN, NOTIMP, REFUSED] = [1, 3, 4, 5];

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));

describe('messages that no client in its right mind sends', () => {
  let port: number;
  let server: RunningNameServer;
  const seen: string[] = [];
  beforeAll(async () => {
    port = await freeDnsPort([ADDRESS]);
    const listen = [{ address: ADDRESS, port }, ...(hasIpv6 ? [{ address: '::1', port }] : [])];
    server = await startNameServer({
      zone: ZONE,
      lookup,
      rateLimit: createRateLimit(1_000),
      listen,
      seen: (transport, outcome) => void seen.push(`${transport} ${outcome}`),
    });
  });
  afterAll(() => server.close());

  const good = packet.encode({ type: 'query', id: 8, questions: [{ type: 'TXT', name: `one.${APEX}` }] });

  /** What comes back before the answer to a good question that is asked right after. */
  async function reply(bad: Buffer): Promise<Buffer | null> {
    const socket = createSocket('udp4');
    let got: Buffer | null = null;
    await new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        if (bytes.readUInt16BE(0) === 8) resolve();
        else got = bytes;
      });
      socket.send(bad, port, ADDRESS);
      socket.send(good, port, ADDRESS);
    });
    await new Promise<void>((resolve) => void socket.close(resolve));
    return got;
  }

  const header = (flags: number, counts: [number, number, number, number]): Buffer => {
    const bytes = Buffer.alloc(12);
    for (const [index, value] of [ID, flags, ...counts].entries()) bytes.writeUInt16BE(value, 2 * index);
    return bytes;
  };
  const apex = Buffer.concat([...APEX.split('.').map((part) => Buffer.from(`${String.fromCharCode(part.length)}${part}`)), Buffer.alloc(1)]);
  const asked = (name: Buffer, type = 16): Buffer => Buffer.concat([name, Buffer.of(0, type, 0, 1)]);
  const label = (length: number): Buffer => Buffer.concat([Buffer.of(length), Buffer.alloc(length, 'x')]);
  const opt = (...data: number[]): Buffer => Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, data.length, ...data]);
  const COOKIE = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

  it.each<[string, number, Buffer]>([
    ['NOTIFY', NOTIMP, Buffer.concat([header(0x2400, [1, 0, 0, 0]), asked(apex, 6)])],
    ['UPDATE', NOTIMP, Buffer.concat([header(0x2800, [1, 0, 1, 0]), asked(apex, 6), Buffer.of(0xc0, 12, 0, 16, 0, 255, 0, 0, 0, 0, 0, 0)])],
    ['an opcode that nobody has', NOTIMP, Buffer.concat([header(0x7800, [1, 0, 0, 0]), asked(apex)])],
    ['a cookie without a question', FORMERR, Buffer.concat([header(0, [0, 0, 0, 1]), opt(...COOKIE)])],
    ['two questions', FORMERR, Buffer.concat([header(0, [2, 0, 0, 0]), asked(apex), asked(apex)])],
    ['a question with its answer', FORMERR, Buffer.concat([header(0, [1, 1, 0, 0]), asked(apex), Buffer.of(0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0)])],
    ['two OPT records', FORMERR, Buffer.concat([header(0, [1, 0, 0, 2]), asked(apex), opt(), opt()])],
    ['OPT of a name', FORMERR, Buffer.concat([header(0, [1, 0, 0, 1]), asked(apex), Buffer.of(1, 0x61), opt()])],
  ])('%s: a header that says no', async (_what, rcode, bytes) => {
    const got = await reply(bytes);
    expect(got).toHaveLength(12);
    expect([got?.readUInt16BE(0), (got?.readUInt8(3) ?? 0) & 0xf, (got?.readUInt8(2) ?? 0) & 0x80]).toEqual([ID, rcode, 0x80]);
  });

  it.each<[string, number, Buffer]>([
    ['a name of 255 bytes', NXDOMAIN, asked(Buffer.concat([label(63), label(63), label(63), label(42), apex]))],
    ['a name of 127 labels', REFUSED, asked(Buffer.concat([...Array.from({ length: 127 }, () => label(1)), Buffer.alloc(1)]))],
    ['a name that ends in the bytes of our apex, not in its labels', REFUSED, asked(Buffer.concat([Buffer.of(6), Buffer.from('x'), apex]))],
    ['dots and zeros in labels', NXDOMAIN, asked(Buffer.concat([Buffer.from([3, 0x2e, 0, 0xff]), apex]))],
  ])('%s: answered, the name as it came', async (_what, rcode, question) => {
    const got = await reply(Buffer.concat([header(0, [1, 0, 0, 1]), question, opt(...COOKIE)]));
    expect((got?.readUInt8(3) ?? 0) & 0xf).toBe(rcode);
    expect(got?.subarray(12, 12 + question.length)).toEqual(question);
    expect(got?.readUInt16BE(10)).toBe(1); // OPT, without an option
    expect(got?.subarray(-11)).toEqual(Buffer.of(0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0));
  });

  it.each<[string, Buffer]>([
    ['a name of 256 bytes', Buffer.concat([header(0, [1, 0, 0, 0]), asked(Buffer.concat([label(63), label(63), label(63), label(43), apex]))])],
    ['a label of 64 bytes', Buffer.concat([header(0, [1, 0, 0, 0]), asked(Buffer.concat([label(64), apex]))])],
    ['a pointer in the question', Buffer.concat([header(0, [1, 0, 0, 0]), asked(Buffer.of(1, 0x78, 0xc0, 4))])],
    ['a record that isn\'t there', Buffer.concat([header(0, [1, 0, 0, 1]), asked(apex)])],
    ['a record that is longer than the message', Buffer.concat([header(0, [1, 0, 0, 1]), asked(apex), opt(1, 2).subarray(0, -1)])],
    ['a name without an end', Buffer.concat([header(0, [1, 0, 0, 1]), asked(apex), Buffer.of(0x80, 0, 0, 0)])],
  ])('%s: no answer, and counted', async (_what, bytes) => {
    const before = seen.filter((one) => one === 'udp malformed').length;
    expect(await reply(bytes)).toBeNull();
    expect(seen.filter((one) => one === 'udp malformed')).toHaveLength(before + 1);
  });

  (hasIpv6 ? it : it.skip)('IPv6 is listened at beside IPv4, on the same port, over both transports', async () => {
    for (const transport of ['+notcp', '+tcp']) {
      const printed = await runDnsProgram(findDnsProgram('knot', 'kdig'), ['@::1', '-p', String(port), transport, `one.${APEX}`, 'TXT']);
      expect(printed).toMatch(/status: NOERROR[\s\S]+ANSWER: 3;/);
    }
  });
});
