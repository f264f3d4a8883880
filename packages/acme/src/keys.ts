import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyMaker, KeyType } from '@certwright/core';
import { createCsr } from './csr';

// The asynchronous form: an RSA key takes hundreds of milliseconds, which the event loop must not stand still for.
const generate = promisify(generateKeyPair);

async function privateKeyPem(keyType: KeyType): Promise<string> {
  const { privateKey } = await (keyType === 'ec-256' || keyType === 'ec-384'
    ? generate('ec', { namedCurve: keyType === 'ec-256' ? 'P-256' : 'P-384' })
    : generate('rsa', { modulusLength: keyType === 'rsa-2048' ? 2048 : 4096 }));
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function createKeyMaker(): KeyMaker {
  return {
    accountKey: () => privateKeyPem('ec-256'),
    async keyAndCsr(names, keyType) {
      const pem = await privateKeyPem(keyType);
      return { privateKeyPem: pem, csrDer: await createCsr(names, pem) };
    },
  };
}
