import { challengeName, ownershipName } from './domain';
import { parseHostname } from './hostname';
import { Problem, terminal } from './problem';

/** As many as public CAs take in one certificate. */
export const MAX_NAMES = 100;

/** RFC 1035 section 2.3.4, in text form. */
const MAX_FQDN = 253;

/** `*.x` is proved at `x` (RFC 8555 section 7.1.3). */
const baseOf = (name: string): string => name.replace(/^\*\./, '');

const isWithin = (name: string, base: string): boolean => name === base || name.endsWith(`.${base}`);

/**
 * The names of one certificate, each written as it is stored, `domainName` first.
 * @throws Problem `invalid_name`: one that can't be served, too many, a second registered domain, or one that a wildcard among them covers
 */
export function parseNames(domainName: string, more: string[], options: { allowSpecialUse: boolean }): [string, ...string[]] {
  const first = parsed(domainName, '/domain_name', options);
  const names: [string, ...string[]] = [first.name];
  for (const [index, input] of more.entries()) {
    const pointer = `/names/${index}`;
    const { name, registrableDomain } = parsed(input, pointer, options);
    if (registrableDomain !== first.registrableDomain) {
      const detail = `${name} is not part of ${first.registrableDomain}: register it as a domain of its own.`;
      throw invalid(detail, pointer);
    }
    if (!names.includes(name)) names.push(name);
  }
  if (names.length > MAX_NAMES) throw invalid(`A certificate can have ${MAX_NAMES} names at most; these are ${names.length}.`, '/names');
  for (const name of names) {
    const wildcard = `*.${name.slice(name.indexOf('.') + 1)}`;
    if (name !== wildcard && names.includes(wildcard)) throw invalid(`${name} is covered by ${wildcard} already: CAs refuse both at once.`, '/names');
  }
  return names;
}

/** The TXT names that a CA looks at for these names: one for both `x` and `*.x`. */
export const challengeNames = (names: string[]): string[] => [...new Set(names.map(challengeName))];

/** The names that ownership is to be proved of: who has one has all that is below it. */
export function ownedBases(names: string[]): [string, ...string[]] {
  const bases = [...new Set(names.map(baseOf))];
  const [first = '', ...others] = bases.filter((base) => !bases.some((other) => other !== base && isWithin(base, other)));
  return [first, ...others];
}

/** What is left to be proved once `proved` are. */
export const unproved = (names: string[], proved: string[]): string[] =>
  ownedBases(names).filter((base) => !ownedBases(proved).some((one) => isWithin(base, one)));

function parsed(input: string, pointer: string, options: { allowSpecialUse: boolean }) {
  let hostname;
  try {
    hostname = parseHostname(input, options);
  } catch (error) {
    if (error instanceof Problem) throw invalid(error.message, pointer);
    throw error;
  }
  if (ownershipName(baseOf(hostname.name)).length > MAX_FQDN) {
    throw invalid(`The name is too long: its challenge records would be longer than ${MAX_FQDN} characters.`, pointer);
  }
  return hostname;
}

const invalid = (detail: string, pointer: string): Problem => terminal('invalid_name', detail, { errors: [{ pointer, detail }] });
