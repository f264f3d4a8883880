import type { OrderReason } from './model';
import type { AcmeProblemDocument } from './problem';

/** What the CA says, in RFC 8555's words. */

export interface AcmeAccount {
  id: string;
  privateKeyPem: string;
  /** Null until the CA has told it (RFC 8555 section 7.3). */
  url: string | null;
  /** The CA has asked for no request at all until then. */
  pausedUntil: Date | null;
  /** The CA has asked for no new order until then. */
  ordersPausedUntil: Date | null;
  pauseReason: OrderReason | null;
}

export interface AcmeOrder {
  url: string;
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  authorizationUrls: string[];
  finalizeUrl: string;
  certificateUrl: string | null;
  expires: Date | null;
  error: AcmeProblemDocument | null;
  /** From `Retry-After`. */
  retryAfterMs: number | null;
}

export interface AcmeAuthorization {
  url: string;
  identifier: string;
  wildcard: boolean;
  status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  expires: Date | null;
  dns01: {
    url: string;
    status: 'pending' | 'processing' | 'valid' | 'invalid';
    token: string;
    error: AcmeProblemDocument | null;
  } | null;
  retryAfterMs: number | null;
}

/** What the CA suggests for a certificate (RFC 9773 section 4.2). */
export interface AcmeRenewalInfo {
  start: Date;
  end: Date;
  explanationUrl: string | null;
  /** From `Retry-After`: when to ask again. */
  retryAfterMs: number | null;
}
