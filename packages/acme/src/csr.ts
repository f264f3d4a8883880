import { sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const SEQUENCE = 0x30;
const SET = 0x31;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
/** `[0] IMPLICIT SET` (RFC 2986 section 4.1). */
const ATTRIBUTES = 0xa0;
/** `[2] IMPLICIT IA5String` (RFC 5280 section 4.2.1.6). */
const DNS_NAME = 0x82;

const VERSION_1 = Buffer.from('020100', 'hex');
/** RFC 2985 section 5.4.2. */
const EXTENSION_REQUEST = Buffer.from('06092a864886f70d01090e', 'hex');
/** RFC 5280 section 4.2.1.6. */
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');

/** AlgorithmIdentifiers in DER: RFC 4055 section 5, RFC 5758 section 3.2. */
const RSA_SHA256 = { hash: 'sha256', identifier: Buffer.from('300d06092a864886f70d01010b0500', 'hex') };
const ECDSA_SHA256 = { hash: 'sha256', identifier: Buffer.from('300a06082a8648ce3d040302', 'hex') };
const ECDSA_SHA384 = { hash: 'sha384', identifier: Buffer.from('300a06082a8648ce3d040303', 'hex') };

const signInBackground = promisify(sign);

/**
 * A certificate signing request in DER (RFC 2986) with all `names` as subject alternative names. The subject is empty:
 * a common name is limited to 64 characters, which a domain name is not, and CAs no longer need one.
 * Written here because it takes a tenth of the CPU time that acme-client's takes, which parses the key three times.
 */
export async function createCsr(
  names: string[],
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
): Promise<Buffer> {
  const altNames = der(SEQUENCE, ...names.map((name) => der(DNS_NAME, Buffer.from(name, 'ascii'))));
  const extensions = der(SEQUENCE, der(SEQUENCE, SUBJECT_ALT_NAME, der(OCTET_STRING, altNames)));
  const subject = der(SEQUENCE);
  const info = der(
    SEQUENCE,
    VERSION_1,
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(ATTRIBUTES, der(SEQUENCE, EXTENSION_REQUEST, der(SET, extensions))),
  );
  const { hash, identifier } = algorithmOf(privateKey);
  const noUnusedBits = Buffer.of(0);
  return der(SEQUENCE, info, identifier, der(BIT_STRING, noUnusedBits, await signInBackground(hash, info, privateKey)));
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): typeof RSA_SHA256 {
  if (asymmetricKeyType === 'rsa') return RSA_SHA256;
  return asymmetricKeyDetails?.namedCurve === 'secp384r1' ? ECDSA_SHA384 : ECDSA_SHA256;
}

/** Tag, length, content (X.690 section 8.1). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content), content]);
}

/** One byte, or for 128 and more the number of length bytes and then these (X.690 section 8.1.3). */
function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}
