import { type AcmeAuthorization, type AcmeOrder, readCertificates } from '@certwright/core';
import { acmeDocument, badResponse, isObject, retryAfter, tryJson } from './acme-problem';
import type { HttpReply } from './transport';

const ORDER_STATUSES = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const;
const AUTHORIZATION_STATUSES = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'] as const;
const CHALLENGE_STATUSES = ['pending', 'processing', 'valid', 'invalid'] as const;
/** RFC 8555 section 8: a token has the base64url alphabet and nothing else. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/;
const MAX_AUTHORIZATIONS = 1_000;

export interface Directory {
  newNonce: string;
  newAccount: string;
  newOrder: string;
  /** RFC 9773 section 4.1; null where the CA has none. */
  renewalInfo: string | null;
  caaIdentities: string[];
}

/** RFC 8555 section 7.1.1. @throws Problem `acme_bad_response` */
export function parseDirectory(reply: HttpReply, directoryUrl: string): Directory {
  const directory = jsonObject(reply, 'the directory');
  return {
    newNonce: urlOf(directory.newNonce, directoryUrl, 'newNonce'),
    newAccount: urlOf(directory.newAccount, directoryUrl, 'newAccount'),
    newOrder: urlOf(directory.newOrder, directoryUrl, 'newOrder'),
    renewalInfo: directory.renewalInfo === undefined ? null : urlOf(directory.renewalInfo, directoryUrl, 'renewalInfo'),
    caaIdentities: namesIn(isObject(directory.meta) ? directory.meta.caaIdentities : []),
  };
}

const namesIn = (list: unknown): string[] => (Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []);

/** RFC 8555 section 7.1.3. @throws Problem `acme_bad_response` */
export function parseOrder(reply: HttpReply, url: string): AcmeOrder {
  const order = jsonObject(reply, 'the order');
  const status = oneOf(ORDER_STATUSES, order.status, "the order's status");
  const { authorizations, expires } = order;
  if (!Array.isArray(authorizations) || authorizations.length > MAX_AUTHORIZATIONS) {
    throw badResponse('the order has no readable list of authorizations');
  }
  if (status === 'valid' && order.certificate === undefined) throw badResponse('a valid order without certificate URL');
  return {
    url,
    status,
    authorizationUrls: authorizations.map((authorization) => urlOf(authorization, url, 'an authorization')),
    finalizeUrl: urlOf(order.finalize, url, 'finalize'),
    certificateUrl: order.certificate === undefined ? null : urlOf(order.certificate, url, 'certificate'),
    expires: typeof expires === 'string' ? dateOrNull(expires) : null,
    error: acmeDocument(order.error),
    retryAfterMs: retryAfter(reply.headers),
  };
}

/** RFC 8555 section 7.1.4. @throws Problem `acme_bad_response` */
export function parseAuthorization(reply: HttpReply, url: string): AcmeAuthorization {
  const authorization = jsonObject(reply, 'the authorization');
  const { identifier, challenges } = authorization;
  if (!isObject(identifier) || identifier.type !== 'dns' || typeof identifier.value !== 'string') {
    throw badResponse('the authorization is for no DNS name');
  }
  if (!Array.isArray(challenges)) throw badResponse('the authorization has no challenges');
  const dns01 = challenges.filter(isObject).find((challenge) => challenge.type === 'dns-01');
  return {
    url,
    identifier: identifier.value.toLowerCase(),
    wildcard: authorization.wildcard === true,
    status: oneOf(AUTHORIZATION_STATUSES, authorization.status, "the authorization's status"),
    expires: typeof authorization.expires === 'string' ? dateOrNull(authorization.expires) : null,
    dns01: dns01 === undefined ? null : parseChallenge(dns01, url),
    retryAfterMs: retryAfter(reply.headers),
  };
}

/** RFC 8555 sections 8 and 8.4. */
function parseChallenge(challenge: Record<string, unknown>, base: string): NonNullable<AcmeAuthorization['dns01']> {
  const { token } = challenge;
  if (typeof token !== 'string' || !TOKEN.test(token)) throw badResponse('the challenge has no readable token');
  return {
    url: urlOf(challenge.url, base, 'a challenge'),
    status: oneOf(CHALLENGE_STATUSES, challenge.status, "the challenge's status"),
    token,
    error: acmeDocument(challenge.error),
  };
}

/** Where the object that was just created lives. @throws Problem `acme_bad_response` */
export function locationOf(reply: HttpReply, requestUrl: string, what: string): string {
  const { location } = reply.headers;
  if (location === undefined) throw badResponse(`no Location for ${what}`);
  if (!URL.canParse(location, requestUrl)) throw badResponse(`the Location of ${what} is no URL`);
  return urlOf(new URL(location, requestUrl).href, requestUrl, what);
}

/** RFC 8555 section 9.1: a chain holds certificates and nothing else. @throws Problem `acme_bad_response` */
export function parseChain(reply: HttpReply): string {
  const labels = [...reply.body.matchAll(/^-----BEGIN ([^-\r\n]+)-----/gm)].map((match) => match[1]);
  if (labels.length === 0 || labels.some((label) => label !== 'CERTIFICATE')) {
    throw badResponse('the certificate chain is not a list of PEM certificates');
  }
  // One that was cut off on the way is asked for again: what was issued must not be thrown away.
  const isWhole = reply.body.trimEnd().endsWith('-----END CERTIFICATE-----');
  if (!isWhole || countOf(reply.body) !== labels.length) throw badResponse('the certificate chain cannot be read to its end');
  return reply.body;
}

function countOf(chainPem: string): number | null {
  try {
    return readCertificates(chainPem).length;
  } catch {
    return null;
  }
}

export function jsonObject(reply: HttpReply, what: string): Record<string, unknown> {
  const value = tryJson(reply.body);
  if (!isObject(value)) throw badResponse(`${what} is no JSON object`);
  return value;
}

/** An absolute URL of the scheme that `base` has: a CA reached over TLS cannot send us elsewhere without it. */
function urlOf(value: unknown, base: string, what: string): string {
  if (typeof value !== 'string' || !URL.canParse(value) || new URL(value).protocol !== new URL(base).protocol) {
    throw badResponse(`the URL of ${what} is not one of the same scheme`);
  }
  return value;
}

function oneOf<T extends string>(known: readonly T[], value: unknown, what: string): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw badResponse(`${what} is not one of ${known.join(', ')}`);
  return found;
}

function dateOrNull(text: string): Date | null {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date;
}
