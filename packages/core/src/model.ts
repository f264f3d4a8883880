import type { Diagnosis } from './diagnosis';
import type { DomainStatus } from './domain';
import type { KeyType } from './key-type';
import type { OrderStatus } from './order';
import type { AcmeProblemDocument, ProblemCode } from './problem';
import type { TxtEvidence } from './txt-evidence';

/** What the system keeps, as the stores hand it out: secrets are not among it. */

export interface Domain {
  id: string;
  tenantId: string;
  /** ASCII (A-label) form, lower case, no final dot; with `*.` in front for a wildcard. */
  name: string;
  /** All that its certificate is to have; the first is `name`. */
  names: string[];
  status: DomainStatus;
  statusReason: string | null;
  verificationToken: string;
  verifiedAt: Date | null;
  /** Its name below `ACME_ZONE`, unguessable and never another domain's. */
  delegationLabel: string;
  /** Verified, and given a certificate, without anybody asking, as soon as its delegation is in place. */
  auto: boolean;
  /** When its delegation is looked at next. */
  watchAt: Date | null;
  forecast: Forecast | null;
  createdAt: Date;
  updatedAt: Date;
}

/** What the last look at a domain's delegation says: whether a certificate could be had now without anybody doing anything. */
export interface Forecast {
  /** RFC 3339. */
  at: string;
  isReady: boolean;
  /** By challenge name. */
  records: { fqdn: string; diagnosis: Diagnosis }[];
  /** Why CAA records forbid it, in plain words. */
  refusal: string | null;
}

export interface Authorization {
  id: string;
  /** The identifier's value, without `*.` (RFC 8555 section 7.1.4). */
  identifier: string;
  wildcard: boolean;
  url: string;
  challengeUrl: string;
  txtName: string;
  txtValue: string;
  status: 'pending' | 'valid' | 'invalid';
  evidence: TxtEvidence | null;
  /** Why the record is not as it should be, as of the last change. */
  diagnosis: Diagnosis | null;
  checkedAt: Date | null;
}

/** Why an order waits or failed. */
export interface OrderReason {
  code: ProblemCode;
  detail: string;
  acme?: AcmeProblemDocument;
  /** RFC 3339: when it is expected to be over, where that is known. */
  until?: string;
  /** Of a wait for a budget: whose it is. */
  budget?: 'account' | 'registered-domain';
  /** How often in a row the CA has said so, and since when (RFC 3339): of an order or account that it doesn't know. */
  times?: number;
  since?: string;
}

/** One change of a domain, with an id that grows. */
export type DomainEvent = { id: string; at: Date } & (
  | { kind: 'registered' | 'verified' }
  | { kind: 'changed'; names: string[] }
  /** A renewal would succeed where it would have failed before, or the other way round. */
  | { kind: 'forecast'; forecast: Forecast }
  /** An order reached a status, or has a new reason for not getting on. */
  | { kind: 'order'; orderId: string; status: OrderStatus; generation: number; reason: OrderReason | null }
  /** DNS says something else about a record than before. */
  | { kind: 'dns'; orderId: string; fqdn: string; diagnosis: Diagnosis; evidence: TxtEvidence }
);

export interface Order {
  id: string;
  tenantId: string;
  domainId: string;
  names: string[];
  status: OrderStatus;
  /** Since when it has had this status. */
  statusSince: Date;
  /** How often it has been placed at the CA, this time included. */
  generation: number;
  /** The domain had a certificate when it was asked for. */
  renewal: boolean;
  keyType: KeyType;
  profile: string | null;
  reason: OrderReason | null;
  /** Transient failures in a row. */
  failures: number;
  /** Workers that died on it, in a row, in this phase. */
  crashes: number;
  dueAt: Date | null;
  deadlineAt: Date | null;
  accountId: string | null;
  acmeUrl: string | null;
  finalizeUrl: string | null;
  /** When the CA forgets the order (RFC 8555 section 7.1.3), where it says so. */
  caExpiresAt: Date | null;
  certificateId: string | null;
  /** Somebody is waiting for it until then: DNS is looked at more often. */
  watchedUntil: Date | null;
  /** CAA records are not looked at before it is placed. */
  ignoreCaa: boolean;
  requestId: string | null;
  createdAt: Date;
  updatedAt: Date;
  authorizations: Authorization[];
}

/** What is stored of a certificate, read off the leaf. */
export interface IssuedCertificate {
  chainPem: string;
  serial: string;
  sha256: string;
  issuer: string;
  keyType: string;
  notBefore: Date;
  notAfter: Date;
}

export interface Certificate extends IssuedCertificate {
  id: string;
  tenantId: string;
  domainId: string;
  orderId: string;
  names: string[];
  createdAt: Date;
}

export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
