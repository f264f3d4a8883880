/** The words are the API's (and the reimplemented system's); never renamed. */
export const DOMAIN_STATUSES = ['pending', 'verified', 'certificate_pending', 'active', 'failed'] as const;
export type DomainStatus = (typeof DOMAIN_STATUSES)[number];

/** Statuses from which a certificate can be asked for: `failed` is no dead end. */
export const ISSUABLE_DOMAIN_STATUSES: readonly DomainStatus[] = ['verified', 'failed', 'active'];

/** The tenant that every row belongs to until clients have tenants of their own. */
export const DEFAULT_TENANT_ID = '00000000-0000-7000-8000-000000000001';

/** Where the ownership token is published, besides the older name `_acme-challenge.<name>`. */
export const ownershipName = (name: string): string => `_certwright-challenge.${name}`;

/** Where the DNS-01 value is published (RFC 8555 section 8.4); a wildcard is proved at its base name. */
export const challengeName = (name: string): string => `_acme-challenge.${name.replace(/^\*\./, '')}`;
