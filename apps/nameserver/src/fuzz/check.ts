import * as packet from 'dns-packet';
import { answer, comeOverTcp, type Outcome } from '../answer';
import { createZone } from '../zone';
import { lookup, ZONE } from './corpus';

const zone = createZone(ZONE);
const HEADER_BYTES = 12;
const OPT_TYPE = 41;
/** Of any answer over UDP, whatever a client says that it takes. */
const MAX_UDP_SIZE = 1_232;
const PLAIN_UDP_SIZE = 512;

export interface Checked {
  outcome: Outcome;
  udp: Buffer | null;
  tcp: Buffer | null;
}

/** What a name server makes of any bytes. @throws Error where that is more than it may say */
export function check(message: Buffer): Checked {
  const before = Buffer.from(message);
  const { outcome, bytes: udp } = answer(message, zone, lookup, { isTcp: false });
  const { bytes: tcp } = answer(message, zone, lookup, { isTcp: true });
  if (!before.equals(message)) throw new Error('the message was changed');
  const shortest = comeOverTcp(message);
  for (const reply of [udp, tcp, shortest]) if (reply) checkReply(message, reply);
  if (udp && udp.length > maxUdpSize(udp)) throw new Error(`${udp.length} bytes over UDP`);
  if (shortest && shortest.length > message.length) throw new Error('more than was sent, to somebody who asks too often');
  if (tcp && tcp.length > 65_535) throw new Error(`${tcp.length} bytes over TCP`);
  if ((udp === null) !== (tcp === null)) throw new Error('answered over one transport and not over the other');
  return { outcome, udp, tcp };
}

/** An answer with OPT is to a client that has sent one. */
function maxUdpSize(reply: Buffer): number {
  return reply.length > HEADER_BYTES && packet.decode(reply).additionals?.some(({ type }) => type === 'OPT') ? MAX_UDP_SIZE : PLAIN_UDP_SIZE;
}

function checkReply(message: Buffer, reply: Buffer): void {
  if (message.length < HEADER_BYTES) throw new Error('half a header was answered');
  if (message.readUInt8(2) & 0x80) throw new Error('a response was answered');
  const { id, type, flag_ra: isRecursive, questions = [], additionals = [] } = packet.decode(reply);
  if (type !== 'response' || id !== message.readUInt16BE(0) || isRecursive) throw new Error('not the header of an answer');
  if ((message.readUInt8(2) ^ reply.readUInt8(2)) & 0x79) throw new Error('another opcode, or another RD');
  if (questions.length === 0) {
    if (reply.length !== HEADER_BYTES) throw new Error('more than a header, without a question');
    return;
  }
  if (packet.decode.bytes !== reply.length) throw new Error('bytes behind the last record');
  const end = questionEnd(reply);
  if (questions.length !== 1 || !reply.subarray(HEADER_BYTES, end).equals(message.subarray(HEADER_BYTES, end))) throw new Error('another question');
  const opts = additionals.filter((one) => one.type === 'OPT');
  if (opts.length > 1 || (opts.length === 1 && !hasOptType(message, end))) throw new Error('OPT that nobody has sent');
}

function questionEnd(message: Buffer): number {
  let at = HEADER_BYTES;
  while (message.readUInt8(at) !== 0) at += 1 + message.readUInt8(at);
  return at + 5;
}

const hasOptType = (message: Buffer, from: number): boolean => message.indexOf(Buffer.of(0, 0, OPT_TYPE), from) >= 0;
