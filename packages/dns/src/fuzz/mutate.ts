import { BOMBS } from './bombs';
import { HONEST } from './corpus';

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** The same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Pick = (below: number) => number;
type Harm = (bytes: Buffer, pick: Pick, honest: readonly Buffer[]) => Buffer;

const HEADER_BYTES = 12;
const REPLIES = HONEST.map(([, bytes]) => bytes);
const BOMB_SIZES = [512, 600, 1_232, 4_096, 16_384];
/** One in so many: they take a hundred times as long as others. */
const BOMB_SHARE = 200;

/** The same bytes with one thing done to a copy of them, or none where they are too few. */
const changed =
  (minimum: number, change: (copy: Buffer, pick: Pick) => void): Harm =>
  (bytes, pick) => {
    if (bytes.length < minimum) return bytes;
    const copy = Buffer.from(bytes);
    change(copy, pick);
    return copy;
  };

/** A pointer at `at` to `to`, wherever that is. */
const writePointer = (bytes: Buffer, at: number, to: number): number => bytes.writeUInt16BE(0xc000 | (to & 0x3fff), at);

const HARMS: Record<string, Harm> = {
  byte: changed(1, (bytes, pick) => bytes.writeUInt8(pick(256), pick(bytes.length))),
  bit: changed(1, (bytes, pick) => {
    const at = pick(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << pick(8)), at);
  }),
  cut: (bytes, pick) => bytes.subarray(0, pick(bytes.length + 1)),
  insert: (bytes, pick) => {
    const at = pick(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), noise(pick, 1 + pick(8)), bytes.subarray(at)]);
  },
  remove: (bytes, pick) => {
    const at = pick(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(8))]);
  },
  length: changed(HEADER_BYTES + 2, (bytes, pick) => {
    const values = [0, 1, 0xff, 0xffff, 0x3fff, bytes.length, pick(300)];
    bytes.writeUInt16BE(values[pick(values.length)] ?? 0, HEADER_BYTES + pick(bytes.length - HEADER_BYTES - 1));
  }),
  count: changed(HEADER_BYTES, (bytes, pick) => bytes.writeUInt16BE(pick(2) ? pick(65_536) : pick(64), 4 + 2 * pick(4))),
  'pointer to itself': changed(2, (bytes, pick) => {
    const at = pick(bytes.length - 1);
    writePointer(bytes, at, at);
  }),
  'pointer forward': changed(2, (bytes, pick) => {
    const at = pick(bytes.length - 1);
    writePointer(bytes, at, at + pick(bytes.length - at));
  }),
  'pointer back': changed(2, (bytes, pick) => {
    const at = pick(bytes.length - 1);
    writePointer(bytes, at, pick(at + 1));
  }),
  'pointer outside': changed(2, (bytes, pick) => writePointer(bytes, pick(bytes.length - 1), bytes.length + pick(64))),
  'chain of pointers': changed(HEADER_BYTES + 2, (bytes, pick) => {
    const start = HEADER_BYTES + pick(bytes.length - HEADER_BYTES - 1);
    for (let at = start; at + 2 <= bytes.length && at < start + 64; at += 2) writePointer(bytes, at, at - 2);
  }),
  splice: (bytes, pick, honest) => {
    const other = honest[pick(honest.length)] ?? bytes;
    return Buffer.concat([bytes.subarray(0, pick(bytes.length + 1)), other.subarray(pick(other.length + 1))]);
  },
  noise: (_bytes, pick) => noise(pick, pick(600)),
  'noise after the question': (bytes, pick) => Buffer.concat([bytes.subarray(0, 51), noise(pick, pick(200))]),
};

const harms = Object.values(HARMS);
const bombs = Object.values(BOMBS);

const noise = (pick: Pick, length: number): Buffer => Buffer.from(Array.from({ length }, () => pick(256)));

/** One of the honest messages, or now and then a bomb, harmed in one to three ways. */
export function mutant(random: Random, honest: readonly Buffer[] = REPLIES): Buffer {
  const pick: Pick = (below) => Math.floor(random() * below);
  const bomb = pick(BOMB_SHARE) === 0 ? bombs[pick(bombs.length)] : undefined;
  let bytes = bomb?.(BOMB_SIZES[pick(BOMB_SIZES.length)] ?? 600) ?? honest[pick(honest.length)] ?? Buffer.alloc(0);
  for (let count = 1 + pick(3); count > 0; count -= 1) bytes = harms[pick(harms.length)]?.(bytes, pick, honest) ?? bytes;
  return bytes;
}
