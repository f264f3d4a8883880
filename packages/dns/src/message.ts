import * as packet from 'dns-packet';
import { metered } from './metered';

/** dns-packet's types leave out the response code, by name (RFC 6895 section 2.3). */
export type DnsReply = packet.DecodedPacket & { rcode: string };

const HEADER_BYTES = 12;
const MIN_QUESTION_BYTES = 5;
const MIN_RECORD_BYTES = 11;

/** Whether a message is long enough for what its header says it has: dns-packet would read records that aren't there. */
function couldHold(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const [questions = 0, ...records] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const count = records.reduce((sum, one) => sum + one, 0);
  return bytes.length >= HEADER_BYTES + questions * MIN_QUESTION_BYTES + count * MIN_RECORD_BYTES;
}

/** Far more than any name needs. */
export const MAX_MESSAGE_BYTES = 16_384;

/** A name of six labels with as many records as fit takes two thirds of this. */
const MAX_STEPS = 2 * MAX_MESSAGE_BYTES;

/** Null for bytes that can't be read: dns-packet throws whatever it stumbles over. */
export function decode(bytes: Buffer): DnsReply | null {
  if (bytes.length > MAX_MESSAGE_BYTES || !couldHold(bytes)) return null;
  try {
    return packet.decode(metered(bytes, MAX_STEPS)) as DnsReply;
  } catch {
    return null;
  }
}
