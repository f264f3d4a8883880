import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { getDomain, getPublicSuffix, parse } from 'tldts';
import { terminal } from './problem';

export interface Hostname {
  /** ASCII (A-label) form, lower case, without the final dot; with `*.` in front for a wildcard. */
  name: string;
  wildcard: boolean;
  /** The part that was registered: one label more than the public suffix. */
  registrableDomain: string;
}

const MAX_NAME = 253;
const MAX_LABEL = 63;

/** Special-use names (RFC 6761, RFC 7686 …) that no public CA can ever issue for. */
const NEVER_SERVED = ['localhost', 'local', 'onion', 'arpa', 'internal', 'alt'];

/** The ones set aside for tests and documentation (RFC 2606): served where a test CA is used. */
const FOR_TESTS = ['test', 'example', 'invalid'];

/**
 * What a URL parser would swallow or take for something else must be refused before anything looks like a name:
 * controls, spaces, invisible and direction-changing characters, and what divides URLs.
 */
const FORBIDDEN =
  /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}/\\%:@?#[\]<>"'`^|{}()!$&+,;=~_]/u;

/**
 * The one way that names come into the system: raw characters first, then IDNA (UTS 46), then DNS's own rules, then the
 * public suffix list.
 * @throws Problem `invalid_name` with one sentence that says what is wrong
 */
export function parseHostname(input: string, { allowSpecialUse }: { allowSpecialUse: boolean }): Hostname {
  const raw = input.endsWith('.') ? input.slice(0, -1) : input;
  if (raw === '') throw invalid('The name is empty.');
  if (isIP(raw.replace(/^\[(.*)\]$/, '$1'))) throw invalid('This is an IP address; a domain name is needed.');
  const forbidden = FORBIDDEN.exec(raw)?.[0];
  if (forbidden !== undefined) throw invalid(`A domain name cannot contain ${describe(forbidden)}.`);
  const wildcard = raw.startsWith('*.');
  const base = wildcard ? raw.slice(2) : raw;
  if (base.includes('*')) throw invalid('A wildcard is written once and in front: *.example.com.');
  const ascii = toAscii(base);
  const name = wildcard ? `*.${ascii}` : ascii;
  if (name.length > MAX_NAME) throw invalid(`The name is longer than ${MAX_NAME} characters.`);
  checkLabels(ascii);
  return { name, wildcard, registrableDomain: registrableOf(ascii, allowSpecialUse) };
}

const invalid = (detail: string) =>
  terminal('invalid_name', detail, { errors: [{ pointer: '/domain_name', detail }] });

const describe = (character: string): string =>
  /[\p{C}\p{Z}]/u.test(character) || character.charCodeAt(0) > 126
    ? `the character U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
    : `"${character}"`;

/** Empty labels are looked for first: UTS 46 also takes other full stops (U+3002 …) for dots. */
function toAscii(base: string): string {
  if (base.split(/[.\u3002\uFF0E\uFF61]/).includes('')) {
    throw invalid('The name has an empty part: two dots in a row, or a dot in front.');
  }
  const ascii = domainToASCII(base);
  // The WHATWG host parser also turns 127.1, 0x7f.1 and 2130706433 into addresses.
  if (isIP(ascii)) throw invalid('This is an IP address; a domain name is needed.');
  if (ascii === '') throw invalid('This is not a domain name that can be written in DNS (IDNA).');
  return ascii;
}

function checkLabels(ascii: string): void {
  const labels = ascii.split('.');
  for (const label of labels) {
    if (label.length > MAX_LABEL) throw invalid(`A part of the name is longer than ${MAX_LABEL} characters.`);
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) {
      throw invalid(`"${label}" cannot be a part of a host name: letters, digits and inner hyphens only.`);
    }
  }
  if (labels.length < 2) throw invalid('A domain name has at least two parts, like example.com.');
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) throw invalid('This is an IP address; a domain name is needed.');
}

function registrableOf(ascii: string, allowSpecialUse: boolean): string {
  const labels = ascii.split('.');
  const last = labels.at(-1) ?? '';
  if (NEVER_SERVED.includes(last)) throw invalid(`Names under .${last} are not on the public internet.`);
  if (FOR_TESTS.includes(last)) {
    if (!allowSpecialUse) throw invalid(`Names under .${last} are set aside for tests and documentation.`);
    return labels.slice(-2).join('.');
  }
  const { domain, publicSuffix, isIcann, isPrivate } = parse(ascii, { allowPrivateDomains: true });
  if (!isIcann && !isPrivate) throw invalid(`.${last} is not a top-level domain.`);
  if (!domain) throw invalid(`${publicSuffix ?? ascii} is a public suffix: nobody can have a certificate for all of it.`);
  return domain;
}

/** Whether names are registered right below it (`com`, `co.uk`): nothing in its own zone is a customer's. */
export const isPublicSuffix = (name: string): boolean => !name.includes('.') || getPublicSuffix(name) === name;

/** What CAs count by: the name somebody registered, one label below a public suffix. */
export const registeredDomain = (name: string): string =>
  getDomain(name, { allowPrivateDomains: true }) ?? name.split('.').slice(-2).join('.');

/** `fqdn`, a name at or below `name`, relative to the domain that was registered: what registrars' forms ask for. */
export function relativeHost(fqdn: string, name: string): string {
  return fqdn.slice(0, -registeredDomain(name).length - 1);
}
