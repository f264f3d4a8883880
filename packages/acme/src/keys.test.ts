import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { crypto } from 'acme-client';
import { KEY_TYPES } from '@certwright/core';
import { createKeyMaker } from './keys';

const keyMaker = createKeyMaker();
const pemOf = (der: Buffer): string =>
  ['-----BEGIN CERTIFICATE REQUEST-----', der.toString('base64'), '-----END CERTIFICATE REQUEST-----'].join('\n');

describe('createKeyMaker', () => {
  it.each(KEY_TYPES)('makes %s keys in PKCS #8, and a request by that key for every name', async (keyType) => {
    const names = ['a.example', '*.a.example', `${'long-'.repeat(12)}.a-name-beyond-64-characters.example`];
    const { privateKeyPem, csrDer } = await keyMaker.keyAndCsr(names, keyType);
    expect(privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const key = createPrivateKey(privateKeyPem);
    const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
    const curve = namedCurve === 'prime256v1' ? 'ec-256' : 'ec-384';
    expect(key.asymmetricKeyType === 'rsa' ? `rsa-${modulusLength}` : curve).toBe(keyType);
    expect(crypto.readCsrDomains(pemOf(csrDer)).altNames).toEqual(names);
    expect(csrDer.includes(publicPoint(privateKeyPem))).toBe(true);
    const { content, end } = element(csrDer, 0);
    expect(end).toBe(csrDer.length);
    const info = element(content, 0);
    const signature = element(content, element(content, info.end).end).content.subarray(1); // 0: no unused bits
    const hash = keyType === 'ec-384' ? 'sha384' : 'sha256';
    expect(verify(hash, content.subarray(0, info.end), createPublicKey(key), signature)).toBe(true);
  });

  it.each([1, 5, 100, 2_000])('makes requests for %d names', async (count) => {
    const names = Array.from({ length: count }, (_, index) => `name-number-${index}.customer.example`);
    const { csrDer } = await keyMaker.keyAndCsr(names, 'ec-256');
    expect(crypto.readCsrDomains(pemOf(csrDer)).altNames).toEqual(names);
  });

  it('makes another account key each time, on P-256', async () => {
    const [one, other] = await Promise.all([keyMaker.accountKey(), keyMaker.accountKey()]);
    expect(one).not.toBe(other);
    expect(createPrivateKey(one).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });
});

/** The DER element (X.690 section 8.1) that begins at `start`. */
function element(der: Buffer, start: number): { content: Buffer; end: number } {
  const first = der.readUInt8(start + 1);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const length = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes);
  const end = start + 2 + lengthBytes + length;
  return { content: der.subarray(end - length, end), end };
}

/** The public key's number (RSA modulus, or the curve point's x), to be found in whatever embeds the key. */
function publicPoint(privateKeyPem: string): Buffer {
  const jwk = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
  return Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url');
}
