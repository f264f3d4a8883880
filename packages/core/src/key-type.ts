/** Kinds of certificate keys; `ec-*` are NIST curves, RSA is by modulus length in bits. */
export const KEY_TYPES = ['ec-256', 'ec-384', 'rsa-2048', 'rsa-4096'] as const;
export type KeyType = (typeof KEY_TYPES)[number];
