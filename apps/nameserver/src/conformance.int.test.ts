import { createSocket } from 'node:dgram';
import { findDnsProgram, freeDnsPort, runDnsProgram } from '@certwright/testing';
import * as packet from 'dns-packet';
import { createRateLimit } from './rate-limit';
import { type RunningNameServer, startNameServer } from './server';
import type { ZoneSettings } from './zone';

const ADDRESS = '127.0.0.53';
const APEX = 'acme.platform.test';
const ZONE: ZoneSettings = {
  apex: APEX,
  nameServers: [
    { name: `ns1.${APEX}`, addresses: ['192.0.2.1', '2001:db8::1'] },
    { name: `ns.far.${APEX}`, addresses: ['192.0.2.2'] },
    { name: 'ns3.elsewhere.test', addresses: [] },
  ],
};
const LABELS: Record<string, string[]> = {
  one: ['certwright-delegation=one', 'first', 'second'],
  many: Array.from({ length: 60 }, (_, index) => `value-${index}-${'x'.repeat(43)}`),
};

describe('the name server, asked by kdig', () => {
  let port: number;
  let server: RunningNameServer;
  const seen: string[] = [];
  beforeAll(async () => {
    port = await freeDnsPort([ADDRESS]);
    server = await startNameServer({
      zone: ZONE,
      lookup: (label) => LABELS[label] ?? null,
      rateLimit: createRateLimit(1_000),
      listen: [{ address: ADDRESS, port }],
      seen: (transport, outcome) => void seen.push(`${transport} ${outcome}`),
    });
  });
  afterAll(() => server.close());

  const kdig = (...args: string[]): Promise<string> =>
    runDnsProgram(findDnsProgram('knot', 'kdig'), [`@${ADDRESS}`, '-p', String(port), '+norec', '+retry=0', '+timeout=2', ...args]);
  const status = (printed: string): string | undefined => /status: (\w+)/.exec(printed)?.[1];
  const flags = (printed: string): string | undefined => /Flags: ([a-z ]*);/.exec(printed)?.[1];
  const section = (printed: string, name: string): string[] =>
    (printed.split(`;; ${name} SECTION:\n`)[1] ?? '').split('\n\n')[0]?.split('\n').filter(Boolean).map((line) => line.replace(/\s+/g, ' ').trim()) ?? [];

  it('TXT: any number of values at a name, with authority, to be forgotten at once', async () => {
    const printed = await kdig(`one.${APEX}`, 'TXT');
    expect([status(printed), flags(printed)]).toEqual(['NOERROR', 'qr aa']);
    expect(section(printed, 'ANSWER')).toEqual(
      ['certwright-delegation=one', 'first', 'second'].map((value) => `one.${APEX}. 0 IN TXT "${value}"`),
    );
  });

  it('SOA, NS with glue for the names inside, CAA, at the apex', async () => {
    expect(section(await kdig(APEX, 'SOA'), 'ANSWER')).toEqual([`${APEX}. 5 IN SOA ns1.${APEX}. hostmaster.${APEX}. 1 3600 600 1209600 5`]);
    const printed = await kdig(APEX, 'NS');
    expect(section(printed, 'ANSWER')).toEqual([`ns1.${APEX}.`, `ns.far.${APEX}.`, 'ns3.elsewhere.test.'].map((name) => `${APEX}. 3600 IN NS ${name}`));
    expect(section(printed, 'ADDITIONAL')).toEqual([
      `ns1.${APEX}. 3600 IN A 192.0.2.1`,
      `ns1.${APEX}. 3600 IN AAAA 2001:db8::1`,
      `ns.far.${APEX}. 3600 IN A 192.0.2.2`,
    ]);
    expect(section(await kdig(APEX, 'CAA'), 'ANSWER')).toEqual([`${APEX}. 3600 IN CAA 0 issue ";"`]);
    expect(section(await kdig(`ns1.${APEX}`, 'AAAA'), 'ANSWER')).toEqual([`ns1.${APEX}. 3600 IN AAAA 2001:db8::1`]);
  });

  it.each([
    ['a dot within a label', `o\\.ne.${APEX}`, 'TXT', 'NXDOMAIN'],
    ['bytes that are no letters', `\\000\\255\\195\\092.${APEX}`, 'TXT', 'NXDOMAIN'],
    ['a label that nobody has', `absent.${APEX}`, 'TXT', 'NXDOMAIN'],
    ['a name below a label', `below.one.${APEX}`, 'TXT', 'NXDOMAIN'],
    ['another type of a label', `one.${APEX}`, 'A', 'NOERROR'],
    ['a type that is unknown', `one.${APEX}`, 'TYPE65280', 'NOERROR'],
    ['CAA of a label', `one.${APEX}`, 'CAA', 'NOERROR'],
    ['an empty non-terminal', `far.${APEX}`, 'A', 'NOERROR'],
    ['TXT of the apex', APEX, 'TXT', 'NOERROR'],
    ['DS of the apex', APEX, 'DS', 'NOERROR'],
  ])('%s: nothing, and the SOA that says for how long', async (_what, name, type, rcode) => {
    const printed = await kdig(name, type);
    expect([status(printed), flags(printed)]).toEqual([rcode, 'qr aa']);
    expect(section(printed, 'ANSWER')).toEqual([]);
    expect(section(printed, 'AUTHORITY')).toEqual([expect.stringMatching(/ 5 IN SOA /)]);
  });

  it('keeps the case of a name as it was asked (0x20)', async () => {
    const name = 'oNe.AcMe.pLaTform.TEST'; // kdig would ask in small letters
    const [reply = Buffer.alloc(0)] = await answersTo(packet.encode({ type: 'query', id: 8, questions: [{ type: 'TXT', name }] }));
    const { questions = [], answers = [] } = packet.decode(reply);
    expect(questions.map((one) => one.name)).toEqual([name]);
    expect(answers.map((one) => one.name)).toEqual([name, name, name]);
  });

  it('ANY: one small record, where there is a name (RFC 8482)', async () => {
    expect(section(await kdig(`one.${APEX}`, 'ANY'), 'ANSWER')).toEqual([`one.${APEX}. 3600 IN HINFO "RFC8482" ""`]);
    expect(status(await kdig(`absent.${APEX}`, 'ANY'))).toBe('NXDOMAIN');
    const nothing = await kdig(`far.${APEX}`, 'ANY'); // an empty non-terminal
    expect([status(nothing), section(nothing, 'ANSWER')]).toEqual(['NOERROR', []]);
  });

  it.each([
    ['another zone', ['www.elsewhere.test', 'A']],
    ['the zone above', ['platform.test', 'SOA']],
    ['the root', ['.', 'NS']],
    ['another class', ['-c', 'CH', `one.${APEX}`, 'TXT']],
    ['class ANY', ['-c', 'ANY', `one.${APEX}`, 'TXT']],
    ['a dot in a label that only looks as if our zone began there', [`x\\.${APEX}`, 'TXT']],
  ])('%s: refused, without authority', async (_what, args) => {
    const printed = await kdig(...args);
    expect([status(printed), flags(printed)]).toEqual(['REFUSED', 'qr']);
  });

  it.each(['AXFR', 'IXFR=1'])('a transfer (%s): refused', async (type) => {
    await expect(kdig('+tcp', APEX, type)).rejects.toThrow(/replied with error 'REFUSED'/);
  });

  it('never recurs, whoever asks for it', async () => {
    const printed = await kdig('+rec', `one.${APEX}`, 'TXT');
    expect(flags(printed)).toBe('qr aa rd');
  });

  it('EDNS: its own size where it is spoken, none where it isn\'t; BADVERS; unknown options', async () => {
    expect(await kdig('+edns', '+bufsize=4096', `one.${APEX}`, 'TXT')).toMatch(/Version: 0; flags: ; UDP size: 1232 B; ext-rcode: NOERROR/);
    expect(await kdig('+noedns', `one.${APEX}`, 'TXT')).not.toMatch(/EDNS PSEUDOSECTION/);
    expect(await kdig('+edns=1', `one.${APEX}`, 'TXT')).toMatch(/BADVERS/);
    for (const option of ['+ednsopt=65001:aabb', '+cookie=0123456789abcdef', '+padding=400', '+nsid', '+subnet=192.0.2.0/24']) {
      const printed = await kdig(option, `one.${APEX}`, 'TXT');
      expect([status(printed), section(printed, 'ANSWER').length]).toEqual(['NOERROR', 3]);
      expect(printed).toMatch(/EDNS PSEUDOSECTION:\n;; Version: 0; flags: ; UDP size: 1232 B; ext-rcode: NOERROR\n\n/); // and no option
    }
    expect(await kdig('+dnssec', `one.${APEX}`, 'TXT')).toMatch(/Version: 0; flags: do; UDP size/); // RFC 3225 section 3
  });

  it('what is too long for UDP is cut off there, and whole over TCP', async () => {
    expect(flags(await kdig('+ignore', '+bufsize=4096', `many.${APEX}`, 'TXT'))).toBe('qr aa tc');
    expect(section(await kdig('+ignore', `many.${APEX}`, 'TXT'), 'ANSWER')).toEqual([]);
    expect(section(await kdig('+tcp', `many.${APEX}`, 'TXT'), 'ANSWER')).toHaveLength(60);
    expect(section(await kdig(`many.${APEX}`, 'TXT'), 'ANSWER')).toHaveLength(60);
  });

  const question = (change: (bytes: Buffer) => void = () => undefined): Buffer => {
    const bytes = packet.encode({ type: 'query', id: 7, questions: [{ type: 'TXT', name: `one.${APEX}` }] });
    change(bytes);
    return bytes;
  };

  /** Sent one after the other; what comes back before the good question's answer. */
  async function answersTo(bad: Buffer): Promise<Buffer[]> {
    const socket = createSocket('udp4');
    const got: Buffer[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        if (bytes.readUInt16BE(0) === 7) return resolve();
        got.push(bytes);
      });
      socket.send(bad, port, ADDRESS);
      socket.send(question(), port, ADDRESS);
    });
    await new Promise<void>((resolve) => void socket.close(resolve));
    return got;
  }
  const id = (bytes: Buffer): void => void bytes.writeUInt16BE(8, 0);

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(7, 1)],
    ['an answer', question((bytes) => (id(bytes), bytes.writeUInt8(0x80, 2)))],
    ['a name that points at itself', Buffer.concat([question(id).subarray(0, 12), Buffer.from([0xc0, 12, 0, 16, 0, 1])])],
    ['a question that is cut off', question(id).subarray(0, 20)],
  ])('%s gets no answer, and is counted', async (_what, bytes) => {
    const before = seen.filter((one) => one === 'udp malformed').length;
    expect(await answersTo(bytes)).toEqual([]);
    expect(seen.filter((one) => one === 'udp malformed')).toHaveLength(before + 1);
  });

  it.each<[string, number, Buffer]>([
    ['an opcode that is none of ours: NOTIMP', 4, question((bytes) => (id(bytes), bytes.writeUInt8(0x28, 2)))],
    ['no question: FORMERR', 1, question((bytes) => (id(bytes), bytes.writeUInt16BE(0, 4))).subarray(0, 12)],
    [
      'two questions: FORMERR',
      1,
      packet.encode({ type: 'query', id: 8, questions: [{ type: 'TXT', name: APEX }, { type: 'TXT', name: APEX }] }),
    ],
  ])('%s', async (_what, rcode, bytes) => {
    const [reply] = await answersTo(bytes);
    expect((reply?.[3] ?? 0) & 0xf).toBe(rcode);
    expect(reply).toHaveLength(12);
  });
});

it('one network that asks too often is told to come over TCP every other time, and others are answered', async () => {
  const port = await freeDnsPort(['127.0.0.53']);
  const seen: string[] = [];
  const rateLimit = createRateLimit(5);
  const server = await startNameServer({
    zone: ZONE,
    lookup: (label) => LABELS[label] ?? null,
    rateLimit: { take: (address) => rateLimit.take(address, 0) },
    listen: [{ address: '127.0.0.53', port }],
    seen: (_transport, outcome) => void seen.push(outcome),
  });
  const socket = createSocket('udp4');
  const flags: number[] = [];
  socket.on('message', (bytes) => void flags.push(bytes.readUInt8(2) & 0x02));
  const bytes = packet.encode({ type: 'query', id: 1, questions: [{ type: 'TXT', name: `one.${APEX}` }] });
  for (let count = 0; count < 25; count += 1) await new Promise((resolve) => socket.send(bytes, port, '127.0.0.53', resolve));
  while (seen.length < 25 || flags.length < 15) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(flags.filter((tc) => tc === 0)).toHaveLength(5);
  expect(flags.filter((tc) => tc !== 0)).toHaveLength(10);
  const overTcp = await runDnsProgram(findDnsProgram('knot', 'kdig'), ['@127.0.0.53', '-p', String(port), `one.${APEX}`, 'TXT']);
  expect(overTcp).toMatch(/status: NOERROR/); // asked over UDP, answered over TCP
  await new Promise<void>((resolve) => void socket.close(resolve));
  await server.close();
});
