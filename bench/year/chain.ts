import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SECOND_MS = 1_000;

export interface Issued {
  /** PEM, leaf first. */
  chainPem: string;
  /** RFC 9773 section 4.1. */
  certId: string;
}

export type Issue = (order: { names: string[]; csrDer: Buffer; notBefore: number; notAfter: number }) => Promise<Issued>;

/** A root of its own that signs whatever it is given. */
export async function createIssuer(): Promise<Issue> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Year CA',
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date('2030-01-01T00:00:00Z'),
    notAfter: new Date('2040-01-01T00:00:00Z'),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  const rootPem = root.toString('pem');
  const authority = await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey);
  const keyId = Buffer.from(authority.keyId ?? '', 'hex').toString('base64url');
  return async ({ names, csrDer, notBefore, notAfter }) => {
    const serial = Buffer.concat([Buffer.of(1), randomBytes(15)]);
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString('hex'),
      subject: '',
      issuer: root.subject,
      notBefore: new Date(Math.floor(notBefore / SECOND_MS) * SECOND_MS),
      notAfter: new Date(Math.floor(notAfter / SECOND_MS) * SECOND_MS),
      publicKey: new x509.Pkcs10CertificateRequest(csrDer).publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))), authority],
    });
    return { chainPem: `${leaf.toString('pem')}\n${rootPem}\n`, certId: `${keyId}.${serial.toString('base64url')}` };
  };
}
