import { AuthorityKeyIdentifierExtension, X509Certificate } from '@peculiar/x509';
import type { AcmeRenewalInfo } from '@certwright/core';
import { jsonObject } from './acme-objects';
import { badResponse, isObject, retryAfter } from './acme-problem';
import type { HttpReply } from './transport';

const base64url = (bytes: ArrayBuffer | Buffer): string => Buffer.from(bytes as ArrayBuffer).toString('base64url');

/** RFC 9773 section 4.1: the authority key identifier and the serial number of the leaf; null where it has no such identifier. */
export function certIdOf(chainPem: string): string | null {
  const leaf = new X509Certificate(chainPem);
  const keyId = leaf.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) return null;
  return `${base64url(Buffer.from(keyId, 'hex'))}.${base64url(integer(leaf.serialNumber))}`;
}

/** The content of a DER INTEGER: a leading zero where the first bit would make it negative. */
function integer(hex: string): Buffer {
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

/** RFC 9773 section 4.2. @throws Problem `acme_bad_response` */
export function parseRenewalInfo(reply: HttpReply): AcmeRenewalInfo {
  const { suggestedWindow, explanationURL } = jsonObject(reply, 'the renewal information');
  const [start, end] = isObject(suggestedWindow) ? [dateOf(suggestedWindow.start), dateOf(suggestedWindow.end)] : [null, null];
  if (!start || !end || end <= start) throw badResponse('the renewal information has no readable window');
  return { start, end, explanationUrl: explanationOf(explanationURL), retryAfterMs: retryAfter(reply.headers) };
}

/** What a certificate may be of, and every database can keep. */
const [EARLIEST, LATEST] = [Date.UTC(2000, 0), Date.UTC(10_000, 0)];

const dateOf = (value: unknown): Date | null => {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  return at >= EARLIEST && at < LATEST ? new Date(at) : null;
};

/** It is shown to people: a page, and nothing else. */
const explanationOf = (value: unknown): string | null =>
  typeof value === 'string' && value.length <= 1_000 && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? new URL(value).href : null;
