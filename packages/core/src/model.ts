import type { Diagnosis } from './diagnosis';
import type { DomainStatus } from './domain';
import type { KeyType } from './key-type';
import type { OrderStatus } from './order';
import type { AcmeProblemDocument, Advice, ProblemCode } from './problem';
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

/** What the last look at a domain says: whether a renewal would succeed today. */
export interface Forecast {
  /** RFC 3339. */
  at: string;
  isReady: boolean;
  /** Its owner has to set a value for it each time: no alias leads to our name servers. */
  needsValue?: boolean;
  /** The last look found otherwise, once: it is looked at again before anybody is told. */
  isSuspect?: boolean;
  /** By challenge name. */
  records: { fqdn: string; diagnosis: Diagnosis }[];
  /** Why the CA would have to refuse (CAA records, no name servers), in plain words. */
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
  /** Who has to do what, where more was known than the code tells. */
  advice?: Advice;
  /** RFC 3339: when it is expected to be over, where that is known. */
  until?: string;
  /** Of a wait for a budget: whose it is. */
  budget?: 'account' | 'registered-domain';
  /** How often in a row the CA has said so, and since when (RFC 3339): of an order or account that it doesn't know. */
  times?: number;
  since?: string;
}

/** The span in which a certificate is to be renewed. */
export interface RenewalWindow {
  start: Date;
  end: Date;
}

/** Of a domain's newest certificate: when it is to be renewed, and what has come in the way of it. */
export interface Renewal {
  domainId: string;
  tenantId: string;
  certificateId: string;
  /** When it was stored: CAs date `notBefore` back. */
  issuedAt: Date;
  notBefore: Date;
  notAfter: Date;
  /** Of the CA that issued it. */
  directoryUrl: string;
  /** What the CA knows it by (RFC 9773 section 4.1); null where it doesn't say. */
  certId: string | null;
  window: RenewalWindow;
  /** Chosen within the window, or after a failure when it is tried again; null: to be chosen. */
  renewAt: Date | null;
  /** When the CA is asked for its suggestion next; null: it makes none. */
  askAt: Date | null;
  explanationUrl: string | null;
  /** Each renewal needs a new TXT value of the domain's owner. */
  manual: boolean;
  /** In a row. */
  failures: number;
  lastError: OrderReason | null;
  reminders: number;
  /** The order and generation whose values the owner was last told. */
  told: string | null;
}

export type RenewalNews =
  /** The CA suggests another window, as it does before it revokes (RFC 9773). RFC 3339. */
  | { step: 'moved'; start: string; end: string; explanationUrl: string | null }
  /** It is time, and nothing can be ordered. */
  | { step: 'blocked'; reason: OrderReason }
  /** What the owner has to set, and until when. */
  | { step: 'reminder'; until: string; records: { fqdn: string; values: string[] }[] }
  | { step: 'expired'; notAfter: string };

/** One change of a domain, with an id that grows. */
export type DomainEvent = { id: string; at: Date } & (
  | { kind: 'registered' | 'verified' }
  | { kind: 'changed'; names: string[] }
  /** A renewal would succeed where it would have failed before, or the other way round. */
  | { kind: 'forecast'; forecast: Forecast }
  | ({ kind: 'renewal' } & RenewalNews)
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
  /** The end of the certificate that it is to replace; null: it was asked for, whatever there is. */
  neededBy: Date | null;
  /** That certificate, in the CA's words (RFC 9773 section 5). */
  replaces: string | null;
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
