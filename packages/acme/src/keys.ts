import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyMaker, KeyType } from '@certwright/core';
import { createCsr } from './csr';

// The asynchronous form: an RSA key takes hundreds of milliseconds, which the event loop must not stand still for.
const generate = promisify(generateKeyPair);

const keyPair = (keyType: KeyType): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> =>
  keyType === 'ec-256' || keyType === 'ec-384'
    ? generate('ec', { namedCurve: keyType === 'ec-256' ? 'P-256' : 'P-384' })
    : generate('rsa', { modulusLength: keyType === 'rsa-2048' ? 2048 : 4096 });

const pemOf = (privateKey: KeyObject): string => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export function createKeyMaker(): KeyMaker {
  return {
    accountKey: async () => pemOf((await keyPair('ec-256')).privateKey),
    async keyAndCsr(names, keyType) {
      const keys = await keyPair(keyType);
      return { privateKeyPem: pemOf(keys.privateKey), csrDer: await createCsr(names, keys) };
    },
    async csrFor(names, privateKeyPem) {
      const privateKey = createPrivateKey(privateKeyPem);
      return { privateKeyPem, csrDer: await createCsr(names, { privateKey, publicKey: createPublicKey(privateKey) }) };
    },
  };
}
