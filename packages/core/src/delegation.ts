import { randomBytes } from 'node:crypto';
import { challengeNames } from './domain-names';
import type { Domain } from './model';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** 160 random bits in base32 (RFC 4648), lower case: whoever can make a name an alias of it controls that name's zone. */
export const newDelegationLabel = (): string => Array.from(randomBytes(32), (byte) => BASE32[byte % 32]).join('');

/** What a domain's challenge names are made an alias (CNAME) of, once. No final dot. */
export const delegationTarget = ({ delegationLabel }: Pick<Domain, 'delegationLabel'>, acmeZone: string): string => `${delegationLabel}.${acmeZone}`;

/** The TXT value that is always there, besides those of orders: by it the whole way there is checked without an order. */
export const delegationProof = (label: string): string => `certwright-delegation=${label}`;

/** The aliases to be set, by name. */
export const delegationRecords = (domain: Domain, acmeZone: string): { fqdn: string; target: string }[] =>
  challengeNames(domain.names).map((fqdn) => ({ fqdn, target: delegationTarget(domain, acmeZone) }));
