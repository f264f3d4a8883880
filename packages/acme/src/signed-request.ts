import { Client } from 'acme-client';

/** A JWS in flattened JSON serialization (RFC 7515 section 7.2.2), as RFC 8555 section 6.2 wants it. */
interface FlattenedJws {
  protected: string;
  payload: string;
  signature: string;
}

declare module 'acme-client' {
  interface Client {
    /**
     * There in acme-client 5.4 (src/client.js, src/http.js) but missing from its types. Of all its members only this
     * one is used: it does no I/O. A null payload makes a POST-as-GET; without `kid` the public key itself is sent.
     */
    readonly http: {
      createSignedBody(
        url: string,
        payload: object | null,
        header: { nonce: string; kid: string | null },
      ): FlattenedJws;
    };
  }
}

/** What an account key signs. */
export interface Signer {
  /** A request's body. `accountUrl` null: the account is not registered yet. */
  sign(url: string, payload: object | null, header: { nonce: string; accountUrl: string | null }): string;
  /** base64url(SHA-256(key authorization)) (RFC 8555 sections 8.1 and 8.4). */
  dns01Value(token: string): Promise<string>;
}

export function createSigner(directoryUrl: string, privateKeyPem: string): Signer {
  const client = new Client({ directoryUrl, accountKey: privateKeyPem });
  return {
    sign(url, payload, { nonce, accountUrl }) {
      return JSON.stringify(client.http.createSignedBody(url, payload, { nonce, kid: accountUrl }));
    },
    dns01Value(token) {
      return client.getChallengeKeyAuthorization({ type: 'dns-01', url: '', status: 'pending', token });
    },
  };
}
