const CHARACTERS_A_STEP = 32;

/**
 * The same bytes, that can be read for so many steps only. dns-packet follows pointers over and over, and where a text ends
 * after the message it begins again at the header, record for record: 16 KiB take it ten seconds and gigabytes.
 */
export function metered(bytes: Buffer, maxSteps: number): Buffer {
  let left = maxSteps;
  const spend = <T>(steps: number, value: T): T => {
    left -= steps;
    if (left < 0) throw new RangeError('too much to read');
    return value;
  };
  return Object.assign(bytes.subarray(), {
    readUInt16BE: (at: number) => spend(1, bytes.readUInt16BE(at)),
    readUInt8: (at: number) => spend(8, bytes.readUInt8(at)), // a bitmap of types has a name for every bit
    slice: (from: number, to: number) => spend(2, bytes.subarray(from, to)),
    toString(encoding: BufferEncoding, from: number, to: number) {
      const text = bytes.toString(encoding, from, to);
      return spend(2 + text.length / CHARACTERS_A_STEP, text);
    },
  });
}
