import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as packet from 'dns-packet';
import { askServer, type Outcome } from './ask-server';
import { PATIENT } from './silence';

const ADDRESS = '127.0.0.22';
const NAME = '_acme-challenge.shop.customer.test';
const NOTAUTH = 9;

describe('what one authoritative server says', () => {
  let socket: Socket;
  let reply: Partial<packet.Packet>;

  beforeEach(async () => {
    socket = createSocket('udp4').bind(0, ADDRESS);
    await once(socket, 'listening');
    socket.on('message', (bytes, from) => {
      const { id = 0, questions = [] } = packet.decode(bytes);
      const answer = packet.encode({ type: 'response', id, flags: packet.AUTHORITATIVE_ANSWER, questions, ...reply });
      socket.send(answer, from.port, from.address);
    });
  });
  afterEach(async () => {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  const ask = (): Promise<Outcome> =>
    askServer(
      { name: NAME, apex: 'customer.test', expected: ['v'] },
      { server: 'ns1.customer.test', address: ADDRESS },
      { authoritativePort: socket.address().port, allowPrivate: true, silence: PATIENT, hurried: [], budgetMs: () => 1_000 },
    );

  it.each(['test', '.', 'customer.test', 'other.test', 'below.shop.customer.test'])(
    'a referral to %s leads nowhere: only down, towards the name, is followed',
    async (name) => {
      reply = { flags: 0, authorities: [{ type: 'NS', name, ttl: 1, data: 'ns1.other.test' }] };
      expect(await ask()).toMatchObject({ answer: { state: 'lame' }, referral: null });
    },
  );

  it('a referral down is taken with all hosts of that one zone, and their addresses', async () => {
    const ns = (name: string, data: string): packet.Answer => ({ type: 'NS', name, ttl: 1, data });
    const [below, deeper] = ['Shop.customer.test', NAME];
    const a = (name: string, data: string): packet.Answer => ({ type: 'A', name, ttl: 1, data });
    const additionals = [a('ns1.SHOP.test', '192.0.2.1'), a('stranger.test', '192.0.2.2')];
    reply = { flags: 0, additionals, authorities: [ns(below, 'NS1.shop.test'), ns(deeper, 'ns9.x.test'), ns(below, 'ns2.shop.test')] };
    const { referral } = await ask();
    expect(referral).toEqual({ apex: 'shop.customer.test', hosts: ['ns1.shop.test', 'ns2.shop.test'], glue: [{ server: 'ns1.shop.test', address: '192.0.2.1' }] });
  });

  it('not being its authority is a refusal', async () => {
    reply = { flags: NOTAUTH };
    expect((await ask()).answer.state).toBe('refused');
  });

  it('the value at another name is not the value', async () => {
    reply = { answers: [{ type: 'TXT', name: 'other.customer.test', ttl: 1, data: ['v'] }] };
    expect((await ask()).answer).toMatchObject({ state: 'nodata', values: [] });
  });

  it("another name's alias is not this one's", async () => {
    reply = {
      answers: [
        { type: 'CNAME', name: 'other.customer.test', ttl: 1, data: 'elsewhere.test' },
        { type: 'TXT', name: NAME, ttl: 1, data: ['v'] },
      ],
    };
    expect(await ask()).toMatchObject({ answer: { state: 'match' }, alias: null });
  });
});
