import * as packet from 'dns-packet';
import fc from 'fast-check';
import { BOMBS, rewind } from './fuzz/bombs';
import { compressed, HONEST, NAME } from './fuzz/corpus';
import { read } from './fuzz/read';
import { runFuzz } from './fuzz/run';
import { decode } from './message';

/** Also on a busy machine. */
const BOMB_MS = 250;
const SIZES = [512, 1_232, 4_096, 16_384, 65_535];

const names = (reply: ReturnType<typeof decode>): string[] =>
  [...(reply?.questions ?? []), ...(reply?.answers ?? []), ...(reply?.authorities ?? []), ...(reply?.additionals ?? [])].map(({ name }) => name);

describe('hostile bytes', () => {
  it('honest replies are read', async () => {
    for (const [state, bytes] of HONEST) expect(await read(bytes)).toBe(state);
  });

  it('so are replies as large as they get', () => {
    expect(decode(compressed(1_100))?.answers).toHaveLength(1_100);
  });

  it('twenty thousand mutants (`npm run fuzz` for more) throw nothing, and none takes long', async () => {
    const { inputs, queries, states, ...report } = await runFuzz({ seed: 20_261_123, seconds: 60, inputs: 20_000, queryEvery: 200 });
    expect(report).toMatchObject({ untyped: [], hangs: [] });
    expect({ inputs, queries }).toEqual({ inputs: 20_000, queries: 100 });
    expect(Object.keys(states).length).toBeGreaterThan(6);
  }, 90_000);

  describe.each(Object.entries(BOMBS))('%s', (_what, bomb) => {
    it.each(SIZES)('of %i bytes is soon read, or given up', (size) => {
      const startedAt = performance.now();
      decode(bomb(size));
      expect(performance.now() - startedAt).toBeLessThan(BOMB_MS);
    });
  });

  it('what would take seconds without the meter is unreadable with it', () => {
    const bytes = rewind(16_384);
    bytes.writeUInt16BE(50, 6); // of 1,475 records
    expect(packet.decode(bytes).answers).toHaveLength(50);
    expect(decode(bytes)).toBeNull();
  });

  it('any bytes are read or unreadable, and no name in them is longer than a name can be', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000, size: 'max' }), fc.array(fc.nat(4), { minLength: 4, maxLength: 4 }), async (noise, counts) => {
        const bytes = Buffer.from([0, 1, 0x84, 0, ...counts.flatMap((count) => [0, count]), ...noise]);
        await read(bytes);
        for (const name of names(decode(bytes))) expect(name.length).toBeLessThan(255);
      }),
      { numRuns: 500 },
    );
  });

  it('pointers and labels in any order lead to an end', async () => {
    const pointer = fc.nat(0x3fff).map((to) => [0xc0 | (to >> 8), to & 0xff]);
    const near = fc.nat(200).map((to) => [0xc0, to]);
    const label = fc.constantFrom([0], [1, 0x61], [3, 0x61, 0x2e, 0x62]);
    const fixed = fc.constantFrom(1, 2, 5, 6, 16, 28, 41, 47, 257).map((type) => [type >> 8, type & 0xff, 0, 1, 0, 0, 0, 0, 0, 4]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(pointer, near, label, fixed), { maxLength: 300, size: 'max' }), fc.nat(60), async (parts, records) => {
        await read(Buffer.from([0, 1, 0x84, 0, 0, 0, 0, records, 0, 0, 0, 0, ...parts.flat()]));
      }),
      { numRuns: 500 },
    );
  });

  it('what honest servers put into TXT records comes out again', () => {
    const strings = fc.array(fc.uint8Array({ maxLength: 255, size: 'max' }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(strings, { maxLength: 6 }), (records) => {
        const data = records.map((parts) => parts.map((part) => Buffer.from(part)));
        const answers = data.map((one) => ({ type: 'TXT' as const, name: NAME, ttl: 1, data: one }));
        const reply = decode(packet.encode({ type: 'response', id: 1, questions: [{ type: 'TXT', name: NAME }], answers }));
        const read = reply?.answers?.map((record) => (record.type === 'TXT' ? record.data : null));
        expect(JSON.stringify(read)).toBe(JSON.stringify(data));
      }),
    );
  });
});
