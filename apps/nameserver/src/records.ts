import { isIPv4 } from 'node:net';
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
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')]));
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

export const sectionOf = (records: Buffer[]): Section => ({ count: records.length, bytes: Buffer.concat(records) });

/** `ttl` in seconds. */
export function record(owner: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(IN, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

export function soaData(mname: string, rname: string, numbers: [serial: number, refresh: number, retry: number, expire: number, minimum: number]): Buffer {
  const bytes = Buffer.alloc(20);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return Buffer.concat([encodeName(mname), encodeName(rname), bytes]);
}

/** RFC 8659 section 4.1. */
export const caaData = (flags: number, tag: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(flags, tag.length), Buffer.from(tag + value, 'latin1')]);

export const hinfoData = (cpu: string, os: string): Buffer => Buffer.concat([cpu, os].flatMap((text) => [Buffer.of(text.length), Buffer.from(text, 'latin1')]));

export function addressRecord(owner: Buffer, ttl: number, address: string): Buffer {
  if (isIPv4(address)) return record(owner, TYPE.A, ttl, Buffer.from(address.split('.').map(Number)));
  return record(owner, TYPE.AAAA, ttl, ipv6Bytes(address));
}

function ipv6Bytes(address: string): Buffer {
  // As a URL's host it comes without dots, and as short as it gets.
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => text.split(':').filter(Boolean).map((group) => parseInt(group, 16));
  const [left, right] = [groups(before), groups(after ?? '')];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of left.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of right.entries()) bytes.writeUInt16BE(group, 16 - 2 * (right.length - index));
  return bytes;
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
