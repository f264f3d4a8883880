import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as packet from 'dns-packet';
import type { DnsReply } from './message';
import { query } from './wire';

const HOST = '127.0.0.44';
const FORMERR = 1;
const NOTIMP = 4;

describe('a server that does not know EDNS (RFC 6891 section 7)', () => {
  let socket: Socket;
  let seen: packet.DecodedPacket[];
  let ports: Set<number>;
  let refuse: (asked: packet.DecodedPacket) => Partial<packet.Packet>;

  beforeEach(async () => {
    seen = [];
    ports = new Set();
    socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    socket.on('message', (bytes, from) => {
      const asked = packet.decode(bytes);
      seen.push(asked);
      ports.add(from.port);
      const { id = 0, questions = [] } = asked;
      const edns = (asked.additionals ?? []).length > 0;
      const answer: packet.Packet = { type: 'response', id, flags: packet.AUTHORITATIVE_ANSWER, questions };
      socket.send(packet.encode({ ...answer, ...(edns ? refuse(asked) : {}) }), from.port, from.address);
    });
  });
  afterEach(async () => {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  const ask = (timeoutMs = 1_000): Promise<DnsReply> =>
    query({ name: 'a.test', type: 'TXT' }, { address: HOST, port: socket.address().port }, { timeoutMs });

  it.each<[string, Partial<packet.Packet>]>([
    ['FORMERR', { flags: FORMERR }],
    ['NOTIMP', { flags: NOTIMP }],
    ['FORMERR in a header alone', { flags: FORMERR, questions: [] }],
  ])('and says %s is asked again without it, from another port', async (_what, refusal) => {
    refuse = () => refusal;
    expect(await ask()).toMatchObject({ rcode: 'NOERROR', flag_aa: true });
    expect(seen.map(({ additionals }) => additionals?.length)).toEqual([1, 0]);
    expect(ports.size).toBe(2);
  });

  it('and can read nothing at all is asked twice, not for ever', async () => {
    refuse = () => ({ flags: FORMERR });
    socket.removeAllListeners('message');
    socket.on('message', (bytes, from) => {
      const asked = packet.decode(bytes);
      seen.push(asked);
      socket.send(packet.encode({ type: 'response', id: asked.id, flags: FORMERR }), from.port, from.address);
    });
    expect(await ask()).toMatchObject({ rcode: 'FORMERR' });
    expect(seen).toHaveLength(2);
  });

  it.each<[string, (asked: packet.DecodedPacket) => Partial<packet.Packet>]>([
    ['another id', ({ id = 0 }) => ({ id: id ^ 1, flags: FORMERR, questions: [] })],
    ['another question', () => ({ flags: FORMERR, questions: [{ type: 'TXT', name: 'b.test' }] })],
    ['no question and no such code', () => ({ questions: [] })],
  ])('is not believed with %s', async (_what, refusal) => {
    refuse = refusal;
    await expect(ask(200)).rejects.toMatchObject({ name: 'DnsWireError' });
    expect(seen).toHaveLength(1);
  });
});
