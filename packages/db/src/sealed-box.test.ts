import { randomBytes } from 'node:crypto';
import { createSealedBox } from './sealed-box';

const place = { column: 'orders.sealed_key', row: 'a' };

describe('a sealed value', () => {
  const box = createSealedBox(randomBytes(32));

  it('opens to what was sealed, in its place', () => {
    expect(box.open(box.seal('a secret with ünïcode', place), place)).toBe('a secret with ünïcode');
  });

  it('does not show its content', () => {
    expect(Buffer.from(box.seal('a secret', place)).includes('a secret')).toBe(false);
  });

  it('is different every time', () => {
    expect(box.seal('a secret', place)).not.toEqual(box.seal('a secret', place));
  });

  it.each([
    ['another row', { ...place, row: 'b' }],
    ['another column', { ...place, column: 'certificates.sealed_key' }],
  ])('does not open in %s', (_which, elsewhere) => {
    expect(() => box.open(box.seal('a secret', place), elsewhere)).toThrow(/was altered, or moved/);
  });

  it('does not open when any one byte is changed', () => {
    const sealed = box.seal('a secret', place);
    for (let index = 0; index < sealed.length; index += 1) {
      const altered = Uint8Array.from(sealed);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(() => box.open(altered, place)).toThrow();
    }
  });

  it('names the key it was sealed with when opened with another one', () => {
    const other = createSealedBox(randomBytes(32));
    expect(() => other.open(box.seal('a secret', place), place)).toThrow(`was sealed with master key ${box.keyId}`);
  });

  it('is refused when it is cut short', () => {
    expect(() => box.open(box.seal('', place).subarray(0, 20), place)).toThrow(/is not a sealed value/);
  });
});

it('a master key of the wrong length is refused', () => {
  expect(() => createSealedBox(randomBytes(31))).toThrow(RangeError);
});
