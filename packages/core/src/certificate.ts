import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { IssuedCertificate } from './model';
import { terminal, type Problem } from './problem';

/** What the leaf of a chain says of itself. */
export interface ParsedChain {
  /** The DNS names of the subject alternative name, in the certificate's order. */
  names: string[];
  /** Hexadecimal, lower case. */
  serial: string;
  /** SHA-256 of the leaf's DER, hexadecimal, lower case, no colons. */
  sha256: string;
  /** E.g. `CN=R11, O=Let's Encrypt`. */
  issuer: string;
  /** A `KeyType`, or another algorithm's name. */
  keyType: string;
  notBefore: Date;
  notAfter: Date;
  /** How many certificates the chain has, the leaf included. */
  certificates: number;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const CURVES: Record<string, string> = { prime256v1: 'ec-256', secp384r1: 'ec-384', secp521r1: 'ec-521' };

/** Reads a PEM chain, leaf first (RFC 8555 section 7.4.2). @throws Problem `certificate_mismatch` if unreadable */
export const parseChain = (chainPem: string): ParsedChain => describe(readChain(chainPem));

interface Chain {
  leaf: X509Certificate;
  length: number;
}

function describe({ leaf, length }: Chain): ParsedChain {
  return {
    names: alternativeNames(leaf)
      .filter((entry) => entry.startsWith('DNS:'))
      .map((entry) => entry.slice('DNS:'.length)),
    serial: leaf.serialNumber.toLowerCase(),
    sha256: createHash('sha256').update(leaf.raw).digest('hex'),
    issuer: issuerOf(leaf),
    keyType: keyTypeOf(leaf.publicKey),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    certificates: length,
  };
}

/**
 * The certificate as it is stored, once it is sure to be the one asked for: its key is `privateKeyPem`, its names are
 * exactly `names`. @throws Problem `certificate_mismatch` (terminal)
 */
export function assertCertificateFits(input: {
  chainPem: string;
  privateKeyPem: string;
  names: string[];
}): IssuedCertificate {
  const { chainPem } = input;
  const chain = readChain(chainPem);
  const { leaf } = chain;
  const { names, certificates: _count, ...facts } = describe(chain);
  if (!leaf.checkPrivateKey(readPrivateKey(input.privateKeyPem))) {
    throw mismatch('The certificate is for another key than the one stored for the order.');
  }
  // Compared with all entries of the extension: an address or an e-mail among them was not ordered either.
  const has = new Set(alternativeNames(leaf).map((entry) => entry.toLowerCase()));
  const wanted = new Set(input.names.map((name) => `dns:${name.toLowerCase()}`));
  if (has.size !== wanted.size || [...wanted].some((entry) => !has.has(entry))) {
    throw mismatch(`The certificate is for ${list(names)}, the order is for ${list(input.names)}.`);
  }
  return { chainPem, ...facts };
}

const mismatch = (detail: string): Problem => terminal('certificate_mismatch', detail);

const list = (names: string[]): string => (names.length === 0 ? 'no name' : names.slice(0, 100).join(', '));

/** A CA has a few intermediates, and reading one takes half a millisecond. */
const MAX_KNOWN = 50;
const readable = new Set<string>();

/** The certificates of a PEM text, the leaf of a chain first; of those that come again and again each is read once. @throws Error for one that can't be read */
export function readCertificates(pem: string): { leaf: X509Certificate | null; length: number } {
  const [leaf, ...others] = pem.match(PEM_CERTIFICATE) ?? [];
  for (const other of others) {
    if (readable.has(other)) continue;
    new X509Certificate(other);
    if (readable.size < MAX_KNOWN) readable.add(other);
  }
  return { leaf: leaf === undefined ? null : new X509Certificate(leaf), length: others.length + (leaf === undefined ? 0 : 1) };
}

function readChain(chainPem: string): Chain {
  let read: ReturnType<typeof readCertificates>;
  try {
    read = readCertificates(chainPem);
  } catch (error) {
    throw terminal('certificate_mismatch', 'The certificate chain cannot be read.', { cause: error });
  }
  const { leaf, length } = read;
  if (leaf === null) throw mismatch('The certificate chain holds no certificate.');
  return { leaf, length };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // without the cause: an error about a key stays away from logs
    throw mismatch('The private key stored for the order cannot be read.');
  }
}

/** `DNS:a.example`, `IP Address:…`, as OpenSSL writes them; it puts quotes around a name with a comma in it. */
const alternativeNames = (certificate: X509Certificate): string[] =>
  certificate.subjectAltName === undefined ? [] : certificate.subjectAltName.split(', ');

/**
 * From OpenSSL's one line an attribute, with `\` before a comma and the like. Not from `toLegacyObject()`: called before
 * anything loads `tls`, it leaves Node 20 with a `tls` that cannot connect.
 */
function issuerOf(certificate: X509Certificate): string {
  const attributes = certificate.issuer.split('\n').map((line) => line.replace(/\\(.)/g, '$1'));
  const telling = ['CN=', 'O='].flatMap((type) => attributes.filter((attribute) => attribute.startsWith(type)));
  return (telling.length > 0 ? telling : attributes).join(', ');
}

function keyTypeOf(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return `rsa-${modulusLength ?? 'unknown'}`;
  if (key.asymmetricKeyType === 'ec') return CURVES[namedCurve ?? ''] ?? `ec-${namedCurve ?? 'unknown'}`;
  return key.asymmetricKeyType ?? 'unknown';
}
