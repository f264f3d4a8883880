import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { createSigner } from './signed-request';

const DIRECTORY = 'https://ca.example/dir';
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const ec = (namedCurve: string): string => pemOf(generateKeyPairSync('ec', { namedCurve }).privateKey);
const decoded = (text = ''): unknown => (text === '' ? null : JSON.parse(Buffer.from(text, 'base64url').toString()));

describe('createSigner', () => {
  it.each([
    ['ES256', 'sha256', ec('P-256')],
    ['ES384', 'sha384', ec('P-384')],
    ['ES512', 'sha512', ec('P-521')],
    ['RS256', 'sha256', pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)],
  ])('signs with %s', (alg, hash, pem) => {
    const [url, accountUrl, nonce] = ['https://ca.example/order', 'https://ca.example/account/1', 'n-1'];
    const jws = jwsOf(createSigner(DIRECTORY, pem).sign(url, { csr: 'x' }, { nonce, accountUrl }));
    expect(Object.keys(jws).sort()).toEqual(['payload', 'protected', 'signature']);
    expect(decoded(jws.protected)).toEqual({ alg, url, nonce, kid: accountUrl });
    expect(decoded(jws.payload)).toEqual({ csr: 'x' });
    const key = { key: createPublicKey(pem), dsaEncoding: 'ieee-p1363' as const };
    const signed = Buffer.from(`${jws.protected}.${jws.payload}`);
    expect(verify(hash, signed, key, Buffer.from(jws.signature ?? '', 'base64url'))).toBe(true);
  });

  it('sends the public key, and no part of the private one, while there is no account', () => {
    const pem = ec('P-256');
    const body = createSigner(DIRECTORY, pem).sign('https://ca.example/account', {}, { nonce: 'n', accountUrl: null });
    const { jwk, ...others } = decoded(jwsOf(body).protected) as { jwk: object };
    expect(jwk).toEqual(createPublicKey(pem).export({ format: 'jwk' }));
    expect(others).not.toHaveProperty('kid');
  });

  it('tells an empty payload from none', () => {
    const signer = createSigner(DIRECTORY, ec('P-256'));
    const payloadOf = (payload: object | null): string | undefined =>
      jwsOf(signer.sign('https://ca.example/', payload, { nonce: 'n', accountUrl: 'https://ca.example/1' })).payload;
    expect([payloadOf(null), payloadOf({})]).toEqual(['', 'e30']);
  });

  it('refuses what is no key, and keys that ACME has no signature for', () => {
    expect(() => createSigner(DIRECTORY, 'no key')).toThrow();
    const ed25519 = pemOf(generateKeyPairSync('ed25519').privateKey);
    expect(() => createSigner(DIRECTORY, ed25519)).toThrow('neither RSA nor EC');
    expect(() => createSigner(DIRECTORY, ec('secp256k1'))).toThrow('neither RSA nor EC');
  });
});

const jwsOf = (body: string): Partial<Record<string, string>> => JSON.parse(body) as Record<string, string>;
