import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { Client, crypto } from 'acme-client';

/** What an account key signs. */
export interface Signer {
  /** A request's body. A null payload makes a POST-as-GET; `accountUrl` null: the account is not registered yet. */
  sign(url: string, payload: object | null, header: { nonce: string; accountUrl: string | null }): string;
  /** base64url(SHA-256(key authorization)) (RFC 8555 sections 8.1 and 8.4). */
  dns01Value(token: string): Promise<string>;
}

/** RFC 7518 section 3.1. */
interface Algorithm {
  alg: string;
  hash: string;
}

const RSA: Algorithm = { alg: 'RS256', hash: 'sha256' };
const EC: Partial<Record<string, Algorithm>> = {
  prime256v1: { alg: 'ES256', hash: 'sha256' },
  secp384r1: { alg: 'ES384', hash: 'sha384' },
  secp521r1: { alg: 'ES512', hash: 'sha512' },
};

/**
 * One per account key, to be kept: parsing the key takes ten times as long as a signature with it, which is why
 * acme-client, parsing it for each, does not sign here. @throws Error for a key that ACME has no signature for
 */
export function createSigner(directoryUrl: string, privateKeyPem: string): Signer {
  const key = createPrivateKey(privateKeyPem);
  const { alg, hash } = algorithmOf(key);
  const client = new Client({ directoryUrl, accountKey: privateKeyPem });
  return {
    sign(url, payload, { nonce, accountUrl }) {
      const identity = accountUrl === null ? { jwk: crypto.getJwk(privateKeyPem) } : { kid: accountUrl };
      const jws = {
        protected: base64url({ alg, url, nonce, ...identity }),
        payload: payload === null ? '' : base64url(payload),
      };
      const signed = Buffer.from(`${jws.protected}.${jws.payload}`);
      // RFC 7518 section 3.4: the two numbers of an EC signature side by side, not in DER.
      const signature = sign(hash, signed, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
      return JSON.stringify({ ...jws, signature });
    },
    dns01Value(token) {
      return client.getChallengeKeyAuthorization({ type: 'dns-01', url: '', status: 'pending', token });
    },
  };
}

function algorithmOf(key: KeyObject): Algorithm {
  const algorithm = key.asymmetricKeyType === 'rsa' ? RSA : EC[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined) throw new Error('the account key is neither RSA nor EC P-256, P-384 or P-521');
  return algorithm;
}

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
