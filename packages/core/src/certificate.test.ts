import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { assertCertificateFits, parseChain } from './certificate';
import { Problem } from './problem';

// Certificates are put together here byte by byte (RFC 5280, X.690): core has no library that makes them.
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const set = (...parts: Buffer[]) => der(0x31, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const time = (iso: string) => der(0x18, Buffer.from(`${iso.replace(/\D/g, '').slice(0, 14)}Z`));
const dns = (name: string) => der(0x82, Buffer.from(name));
const ip = (...octets: number[]) => der(0x87, Buffer.from(octets));
const distinguishedName = (cn: string, o?: string) =>
  sequence(
    set(sequence(oid('550403'), utf8(cn))),
    ...(o === undefined ? [] : [set(sequence(oid('55040a'), utf8(o)))]),
  );

interface Wanted {
  names?: Buffer[];
  publicKey: KeyObject;
  issuer?: Buffer;
}

const NOT_BEFORE = '2026-03-01T10:20:30Z';
const NOT_AFTER = '2026-05-30T10:20:29Z';
const issuerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function certificate({ names = [dns('shop.example')], publicKey, issuer = distinguishedName('R11') }: Wanted): string {
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const alternativeName = sequence(oid('551d11'), der(0x04, sequence(...names)));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from('00c0ffee', 'hex')),
    algorithm,
    issuer,
    sequence(time(NOT_BEFORE), time(NOT_AFTER)),
    sequence(),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternativeName)),
  );
  const signature = sign('sha256', toBeSigned, issuerKey);
  const bytes = sequence(toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const DAMAGED = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseChain', () => {
  it('reads the facts of the leaf, and counts the certificates behind it', () => {
    const issuer = distinguishedName('R11', "Let's Encrypt, Inc.");
    const leaf = certificate({ names: [dns('shop.example'), dns('*.shop.example')], publicKey, issuer });
    const facts = parseChain(leaf + certificate({ publicKey: stranger.publicKey }));
    expect(facts).toEqual({
      names: ['shop.example', '*.shop.example'],
      serial: 'c0ffee',
      sha256: createHash('sha256')
        .update(Buffer.from(leaf.replace(/-----[^-]+-----/g, ''), 'base64'))
        .digest('hex'),
      issuer: "CN=R11, O=Let's Encrypt, Inc.",
      keyType: 'ec-256',
      notBefore: new Date(NOT_BEFORE),
      notAfter: new Date(NOT_AFTER),
      certificates: 2,
    });
  });

  it.each([
    ['ec-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
    ['rsa-2048', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
    ['ed25519', generateKeyPairSync('ed25519').publicKey],
  ])('names the key type %s', (keyType, key) => {
    expect(parseChain(certificate({ publicKey: key })).keyType).toBe(keyType);
  });

  it.each([
    ['nothing', ''],
    ['a web page', '<html>502</html>'],
    ['a damaged certificate', DAMAGED],
    ['a damaged certificate behind a good one', certificate({ publicKey }) + DAMAGED],
  ])('ends the order on %s instead of a chain', (_, text) => {
    expect(problemOf(() => parseChain(text))).toMatchObject({ code: 'certificate_mismatch', disposition: 'terminal' });
  });
});

describe('assertCertificateFits', () => {
  const privateKeyPem = pemOf(privateKey);

  it('gives the certificate to store when key and names are the ordered ones, in any order and case', () => {
    const chainPem = certificate({ names: [dns('b.example'), dns('A.example')], publicKey });
    const issued = assertCertificateFits({ chainPem, privateKeyPem, names: ['a.example', 'b.example'] });
    expect(Object.keys(issued).sort()).toEqual(
      ['chainPem', 'issuer', 'keyType', 'notAfter', 'notBefore', 'serial', 'sha256'].sort(),
    );
    expect(issued).toMatchObject({ chainPem, serial: 'c0ffee', notAfter: new Date(NOT_AFTER) });
  });

  it('refuses a certificate for a key that is not the stored one', () => {
    const chainPem = certificate({ publicKey: stranger.publicKey });
    const problem = problemOf(() => assertCertificateFits({ chainPem, privateKeyPem, names: ['shop.example'] }));
    expect(problem).toMatchObject({ code: 'certificate_mismatch', disposition: 'terminal' });
    expect(problem.message).toContain('another key');
  });

  it.each([
    ['lacks an ordered name', [dns('a.example')], ['a.example', 'b.example']],
    ['has a name that was not ordered', [dns('a.example'), dns('b.example')], ['a.example']],
    ['has an address besides', [dns('a.example'), ip(192, 0, 2, 1)], ['a.example']],
    ['is for the wildcard instead of the name', [dns('*.a.example')], ['a.example']],
    ['hides a second name in the first', [dns('a.example, DNS:b.example')], ['a.example', 'b.example']],
  ])('refuses a certificate that %s', (_, inCertificate, names) => {
    const chainPem = certificate({ names: inCertificate, publicKey });
    expect(problemOf(() => assertCertificateFits({ chainPem, privateKeyPem, names }))).toMatchObject({
      code: 'certificate_mismatch',
      disposition: 'terminal',
    });
  });

  it('says nothing of a stored key that cannot be read but that it cannot be read', () => {
    const chainPem = certificate({ publicKey });
    const damaged = privateKeyPem.slice(0, 80);
    const problem = problemOf(() =>
      assertCertificateFits({ chainPem, privateKeyPem: damaged, names: ['shop.example'] }),
    );
    expect(problem.code).toBe('certificate_mismatch');
    expect(JSON.stringify([problem.message, problem.stack, problem.cause])).not.toContain(damaged.slice(30, 60));
  });
});
