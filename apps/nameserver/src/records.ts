import * as packet from 'dns-packet';
import { HEADER_BYTES, IN, TYPE } from './query';

/** Records of a message, encoded (RFC 1035 section 4.1.3). */
export interface Section {
  count: number;
  bytes: Buffer;
}

export const NO_RECORDS: Section = { count: 0, bytes: Buffer.alloc(0) };

const POINTER = 0xc000;
const MAX_STRING_BYTES = 255;

/** The name that was asked for, in the letters that it was asked in. */
export const ASKED = pointerTo(HEADER_BYTES);

export function pointerTo(at: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(POINTER | at);
  return bytes;
}

/** A host name, without a final dot, on the wire. */
export function encodeName(name: string): Buffer {
  const question = packet.encode({ questions: [{ type: 'A', name }] }).subarray(HEADER_BYTES);
  return question.subarray(0, question.length - 4);
}

export const sectionOf = (records: Buffer[]): Section => ({ count: records.length, bytes: Buffer.concat(records) });

/** With `owner`, a name on the wire or a pointer to one, in the place of the record's own name. */
export function record(owner: Buffer, answer: packet.Answer): Buffer {
  const root = packet.encode({ answers: [{ ...answer, name: '.' }] }).subarray(HEADER_BYTES);
  return Buffer.concat([owner, root.subarray(1)]);
}

/** A TXT record of the asked name for each value (ASCII): in one piece, as they are made for every answer. */
export function txtSection(values: readonly string[], ttl: number): Section {
  const strings = (value: string): number => Math.max(1, Math.ceil(value.length / MAX_STRING_BYTES));
  const bytes = Buffer.allocUnsafe(values.reduce((sum, value) => sum + 12 + strings(value) + value.length, 0));
  let at = 0;
  for (const value of values) {
    at = bytes.writeUInt16BE(POINTER | HEADER_BYTES, at);
    at = bytes.writeUInt16BE(TYPE.TXT, at);
    at = bytes.writeUInt16BE(IN, at);
    at = bytes.writeUInt32BE(ttl, at);
    at = bytes.writeUInt16BE(strings(value) + value.length, at);
    for (let from = 0; from === 0 || from < value.length; from += MAX_STRING_BYTES) {
      const length = Math.min(MAX_STRING_BYTES, value.length - from);
      at = bytes.writeUInt8(length, at);
      at += bytes.write(length === value.length ? value : value.slice(from, from + length), at, length, 'latin1');
    }
  }
  return { count: values.length, bytes };
}
