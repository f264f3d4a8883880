/** What a message asks (RFC 1035 section 4.1, RFC 6891). */
export interface Query {
  /**
   * The name as it is on the wire, small letters, one character for each byte: no byte in a label is taken for a dot there. It begins at
   * HEADER_BYTES.
   */
  name: string;
  /** Where in it labels begin. */
  labels: number[];
  type: number;
  class: number;
  /** In bytes from the beginning of the message. */
  questionEnd: number;
  opt: Opt | null;
}

export interface Opt {
  version: number;
  /** What its client takes over UDP, in bytes. */
  udpSize: number;
  /** "DNSSEC OK" (RFC 3225). */
  isDo: boolean;
}

export const HEADER_BYTES = 12;

export const TYPE = { A: 1, NS: 2, SOA: 6, HINFO: 13, TXT: 16, AAAA: 28, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255, CAA: 257 } as const;
export const IN = 1;

const MAX_NAME_BYTES = 255;
/** Type, class, TTL and length. */
const FIXED_BYTES = 10;

/** `strange`: it has not the one question and the records that a query can have. `unreadable`: it ends before what it says it has. */
export function readQuery(message: Buffer): Query | 'strange' | 'unreadable' {
  if (message.readUInt16BE(4) !== 1) return 'strange';
  const labels: number[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at]; length !== 0; length = message[at]) {
    // No pointers: before a question there is nothing to point to.
    if (length === undefined || length > 63) return 'unreadable';
    labels.push(at - HEADER_BYTES);
    at += 1 + length;
  }
  const nameEnd = at + 1;
  const questionEnd = nameEnd + 4;
  if (nameEnd - HEADER_BYTES > MAX_NAME_BYTES || questionEnd > message.length) return 'unreadable';
  const type = message.readUInt16BE(nameEnd);
  const opt = readOpt(message, questionEnd, type);
  if (opt === 'strange' || opt === 'unreadable') return opt;
  const name = message.toString('latin1', HEADER_BYTES, nameEnd).toLowerCase();
  return { name, labels, type, class: message.readUInt16BE(nameEnd + 2), questionEnd, opt };
}

/** Of the records behind the question no other means anything to us. */
function readOpt(message: Buffer, from: number, type: number): Opt | null | 'strange' | 'unreadable' {
  const [answers, authorities, additionals] = [message.readUInt16BE(6), message.readUInt16BE(8), message.readUInt16BE(10)];
  // Who asks for a transfer says from which SOA on (RFC 1995 section 3).
  if (answers > 0 || authorities > (type === TYPE.IXFR ? 1 : 0)) return 'strange';
  let opt: Opt | null = null;
  let at = from;
  for (let index = 0; index < authorities + additionals; index += 1) {
    const fixed = endOfName(message, at);
    if (fixed + FIXED_BYTES > message.length) return 'unreadable';
    if (index >= authorities && message.readUInt16BE(fixed) === TYPE.OPT) {
      if (opt || fixed !== at + 1) return 'strange'; // one at most, and it belongs to the root
      const udpSize = message.readUInt16BE(fixed + 2);
      opt = { udpSize, version: message.readUInt8(fixed + 5), isDo: (message.readUInt8(fixed + 6) & 0x80) !== 0 };
    }
    at = fixed + FIXED_BYTES + message.readUInt16BE(fixed + 8);
    if (at > message.length) return 'unreadable';
  }
  return opt;
}

/** Infinity: it doesn't end. */
function endOfName(message: Buffer, from: number): number {
  for (let at = from; ; ) {
    const length = message[at];
    if (length === undefined || (length > 63 && length < 0xc0)) return Infinity;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}
