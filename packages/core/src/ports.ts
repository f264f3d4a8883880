import type { AcmeAccount, AcmeAuthorization, AcmeOrder, AcmeRenewalInfo } from './acme';
import type { Diagnosis, DiagnosisInput } from './diagnosis';
import type { JobName, JobPayloads } from './jobs';
import type { KeyType } from './key-type';
import type { KeyAndCsr } from './stores';
import type { TxtEvidence } from './txt-evidence';

export * from './renewal-store';
export * from './stores';

/**
 * One request to the CA per method (plus nonces), each bounded in time, none of them waiting or polling.
 * @throws Problem with one of the `acme_*` codes; the CA's own words are in `acme`.
 */
export interface AcmeGateway {
  readonly directoryUrl: string;
  /** The CA's own names in CAA records (`caaIdentities`, RFC 8555 section 9.7.6); empty where it doesn't say. */
  caaIdentities(): Promise<string[]>;
  /** RFC 8555 section 7.3. Returns the account URL; for a key the CA knows, that account's. */
  newAccount(privateKeyPem: string, email: string | null): Promise<string>;
  /**
   * `replaces`: a certificate's `certId` (RFC 9773 section 5); left out where the CA knows of no such thing.
   * @throws Problem `acme_replaces_refused` where the order may be had without
   */
  newOrder(account: AcmeAccount, order: { names: string[]; profile: string | null; replaces?: string | null }): Promise<AcmeOrder>;
  getOrder(account: AcmeAccount, url: string): Promise<AcmeOrder>;
  getAuthorization(account: AcmeAccount, url: string): Promise<AcmeAuthorization>;
  /** Tells the CA to validate (RFC 8555 section 7.5.1). */
  respondToChallenge(account: AcmeAccount, challengeUrl: string): Promise<void>;
  finalize(account: AcmeAccount, order: { url: string; finalizeUrl: string }, csrDer: Buffer): Promise<AcmeOrder>;
  /** The PEM chain, leaf first (RFC 8555 section 7.4.2). */
  downloadCertificate(account: AcmeAccount, certificateUrl: string): Promise<string>;
  /** What a CA knows the leaf of a chain by (RFC 9773 section 4.1); null where it has no authority key identifier. No request. */
  certId(chainPem: string): string | null;
  /** When to renew (RFC 9773 section 4); null where the CA makes no suggestions. */
  renewalInfo(certId: string): Promise<AcmeRenewalInfo | null>;
  /** The TXT value for a dns-01 token: base64url(SHA-256(key authorization)) (RFC 8555 section 8.4). No request. */
  dns01Value(account: AcmeAccount, token: string): Promise<string>;
}

export interface KeyMaker {
  /** PKCS #8 PEM. */
  accountKey(): Promise<string>;
  /** A new key and a CSR for `names` signed by it (RFC 2986). */
  keyAndCsr(names: string[], keyType: KeyType): Promise<KeyAndCsr>;
  /** A CSR for `names` signed by a key that there is (PKCS #8 PEM). */
  csrFor(names: string[], privateKeyPem: string): Promise<KeyAndCsr>;
}

export interface TxtLookup {
  /**
   * Asks every authoritative name server of `fqdn` whether it has all of `expected`. Never throws for what DNS says or
   * doesn't say: that is the evidence. Bounded in time whatever the servers do.
   */
  lookup(fqdn: string, expected: string[]): Promise<TxtEvidence>;
}

export interface CachedTxt {
  /** Empty: it remembers that there is no such record. */
  values: string[];
  /** For how much longer, in seconds. */
  ttl: number;
}

export interface DnsDoctor {
  /**
   * Finds out why a TXT record is not there as it should be, by asking further questions. Never throws for what DNS says or
   * doesn't say. Bounded in time and in queries; `since` is the present, whoever keeps diagnoses knows of an earlier one.
   */
  diagnose(input: DiagnosisInput): Promise<Diagnosis>;
  /**
   * What this service's resolver remembers of a TXT name (asked without recursion, RFC 1034 section 3.7.1): for whoever sees something
   * else than the name servers say. Null where it remembers nothing, or doesn't tell.
   */
  cached(fqdn: string): Promise<CachedTxt | null>;
}

/** What CAA records say about an issuer (RFC 8659, RFC 8657). */
export interface CaaLookup {
  /** Null where issuance is allowed. `waiting.helps` where DNS can't say, so that the CA would have to refuse (RFC 8659 section 3). */
  forbids(names: string[], issuer: CaaIssuer): Promise<Diagnosis | null>;
}

export interface CaaIssuer {
  /** The CA's own domain names in CAA records: `caaIdentities` of its directory (RFC 8555 section 9.7.6); none: nothing is checked. */
  identities: string[];
  /** `accounturi` (RFC 8657 section 3); null before there is an account. */
  accountUri: string | null;
}

export interface JobQueue {
  /**
   * Best effort and bounded in time: false (and a log line) when the queue store can't be reached; never throws.
   * A job that is already there for the same order is left as it is; one that is delayed is brought forward with `hurry`.
   */
  enqueue<N extends JobName>(
    name: N,
    payload: JobPayloads[N],
    options?: { delayMs?: number; hurry?: boolean },
  ): Promise<boolean>;
}
