import { crypto } from 'acme-client';

/**
 * A certificate signing request in DER (RFC 2986) with all `names` as subject alternative names. The subject is empty:
 * a common name is limited to 64 characters, which a domain name is not, and CAs no longer need one.
 */
export async function createCsr(names: string[], privateKeyPem: string): Promise<Buffer> {
  const [, pem] = await crypto.createCsr({ altNames: [...names] }, privateKeyPem);
  return Buffer.from(crypto.getPemBodyAsB64u(pem), 'base64url');
}
