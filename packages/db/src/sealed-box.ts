import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Problem, terminal } from '@certwright/core';

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

/** What a sealed value belongs to: a value copied to another row or column does not open there. */
export interface Place {
  /** `table.column`. */
  column: string;
  /** The row's primary key. */
  row: string;
}

export interface SealedBox {
  /** Names the master key without telling it: the first 8 bytes of its SHA-256, in hex. */
  readonly keyId: string;
  seal(plaintext: string, place: Place): Uint8Array<ArrayBuffer>;
  /** @throws Problem `sealing_key_missing` (transient: an operator mends it) when it was sealed with another key or for another place. */
  open(sealed: Uint8Array, place: Place): string;
}

/**
 * AES-256-GCM under one 32-byte master key. Envelope: version (1), key id (8), nonce (12), tag (16), ciphertext; version,
 * key id and place are authenticated.
 */
export function createSealedBox(masterKey: Buffer): SealedBox {
  if (masterKey.length !== 32) throw new RangeError('the master key must have 32 bytes');
  const keyId = createHash('sha256').update(masterKey).digest().subarray(0, KEY_ID_BYTES);
  const associated = (place: Place) =>
    Buffer.concat([Buffer.from([VERSION]), keyId, Buffer.from(JSON.stringify([place.column, place.row]))]);

  return {
    keyId: keyId.toString('hex'),
    seal(plaintext, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(associated(place));
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      const envelope = Buffer.concat([Buffer.from([VERSION]), keyId, nonce, cipher.getAuthTag(), ciphertext]);
      return new Uint8Array(envelope);
    },
    open(sealed, place) {
      const envelope = Buffer.from(sealed);
      const theirs = envelope.subarray(1, 1 + KEY_ID_BYTES);
      if (envelope.length < HEADER_BYTES || envelope[0] !== VERSION) throw broken('is not a sealed value');
      if (!theirs.equals(keyId)) throw broken(`was sealed with master key ${theirs.toString('hex')}`);
      const nonce = envelope.subarray(1 + KEY_ID_BYTES, 1 + KEY_ID_BYTES + NONCE_BYTES);
      const tag = envelope.subarray(HEADER_BYTES - TAG_BYTES, HEADER_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', masterKey, nonce, { authTagLength: TAG_BYTES })
        .setAAD(associated(place))
        .setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(envelope.subarray(HEADER_BYTES)), decipher.final()]).toString('utf8');
      } catch (error) {
        throw broken('was altered, or moved from another row', error);
      }

      function broken(what: string, cause?: unknown): Problem {
        return new Problem('sealing_key_missing', 'transient', `The secret in ${place.column} ${what}.`, { cause });
      }
    },
  };
}

/** The error for a process that was started with another master key than the database was sealed with. */
export const wrongMasterKey = (expected: string, actual: string): Problem =>
  terminal(
    'sealing_key_missing',
    `MASTER_KEY (key id ${actual}) is not the key this database was sealed with (key id ${expected}). Nothing was changed.`,
  );
