import { createPrivateKey } from 'node:crypto';
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
  });

  it('makes another account key each time, on P-256', async () => {
    const [one, other] = await Promise.all([keyMaker.accountKey(), keyMaker.accountKey()]);
    expect(one).not.toBe(other);
    expect(createPrivateKey(one).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });
});

/** The public key's number (RSA modulus, or the curve point's x), to be found in whatever embeds the key. */
function publicPoint(privateKeyPem: string): Buffer {
  const jwk = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
  return Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url');
}
