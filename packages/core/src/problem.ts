/** Codes are part of the API contract: clients switch on them, so they are never renamed. */
export type ProblemCode =
  // what the caller can mend
  | 'malformed_request'
  | 'validation_failed'
  | 'invalid_name'
  | 'unauthorized'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'payload_too_large'
  | 'domain_exists'
  | 'domain_not_pending'
  | 'domain_not_verified'
  | 'order_under_way'
  | 'order_superseded'
  | 'version_conflict'
  | 'ownership_record_absent'
  | 'certificate_absent'
  // DNS
  | 'dns_lookup_failed'
  | 'dns_not_ready'
  | 'dns_deadline_passed'
  | 'dns_zone_missing'
  | 'caa_forbids_issuer'
  | 'order_deadline_passed'
  // the certificate authority
  | 'acme_unreachable'
  | 'acme_server_error'
  | 'acme_bad_response'
  | 'acme_rate_limited'
  | 'acme_budget_spent'
  | 'acme_account_refused'
  | 'acme_account_unknown'
  | 'acme_order_gone'
  | 'acme_rejected'
  | 'acme_replaces_refused'
  | 'acme_challenge_failed'
  | 'acme_order_invalid'
  | 'acme_pending'
  | 'acme_validating'
  | 'certificate_mismatch'
  // ourselves
  | 'worker_crashed'
  | 'lease_busy'
  | 'lease_lost'
  | 'sealing_key_missing'
  | 'database_not_migrated'
  | 'database_unavailable'
  | 'queue_unavailable'
  | 'internal_error';

/** A problem document as an ACME server sends it (RFC 8555 section 6.7). */
export interface AcmeProblemDocument {
  /** The whole URN, e.g. `urn:ietf:params:acme:error:dns`. */
  type: string;
  detail: string;
  status?: number;
  subproblems?: { type: string; detail: string; identifier?: { type: string; value: string } }[];
}

/**
 * What follows from a problem; there is no fifth.
 * - `terminal`: trying again changes nothing; an order fails and keeps the reason.
 * - `wait`: nothing is wrong yet; look again after `retryAfterMs`. Spends no retry budget.
 * - `transient`: something broke that usually mends itself; the queue retries with backoff.
 * - `reorder`: the CA's order is beyond mending; a new one is placed in its stead, a few times at most.
 */
export type Disposition = 'terminal' | 'wait' | 'transient' | 'reorder';

/** Whom a CA's "not now" is meant for: every request of the account, its new orders, or one order's names. */
export type PauseScope = 'account' | 'orders' | 'names';

/** Who has to act on an order's reason: often nobody, as waiting mends it. */
export type Actor = 'nobody' | 'customer' | 'platform' | 'operator';

export interface Advice {
  actor: Actor;
  /** One sentence for somebody who sees this for the first time. */
  action: string;
}

export interface ProblemOptions {
  /** Milliseconds, a span and not a date: workers' clocks disagree. */
  retryAfterMs?: number;
  /** When it is expected to be over, in milliseconds from now, where that is later than the next look. */
  untilMs?: number;
  /** Where the CA has asked to be left alone. */
  pause?: PauseScope;
  acme?: AcmeProblemDocument;
  /** Of a wait for a budget: whose it is. */
  budget?: 'account' | 'registered-domain';
  /** Who has to do what, where more is known than the code tells. */
  advice?: Advice;
  /** What there is in spite of it, or already: the order that goes on, the domain that has the name. */
  about?: { orderId: string } | { domainId: string };
  /** Which members of the input are wrong, as JSON pointers (RFC 6901). */
  errors?: { pointer: string; detail: string }[];
  cause?: unknown;
}

/** The only error our own code throws on purpose. `message` is safe to show to a client: no SQL, no secrets. */
export class Problem extends Error {
  readonly retryAfterMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly pause: PauseScope | undefined;
  readonly acme: AcmeProblemDocument | undefined;
  readonly budget: ProblemOptions['budget'];
  readonly about: ProblemOptions['about'];
  readonly advice: Advice | undefined;
  readonly errors: { pointer: string; detail: string }[] | undefined;

  constructor(
    readonly code: ProblemCode,
    readonly disposition: Disposition,
    detail: string,
    options: ProblemOptions = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.retryAfterMs = options.retryAfterMs;
    this.untilMs = options.untilMs;
    this.pause = options.pause;
    this.acme = options.acme;
    this.budget = options.budget;
    this.about = options.about;
    this.advice = options.advice;
    this.errors = options.errors;
  }
}

export const terminal = (code: ProblemCode, detail: string, options?: ProblemOptions): Problem =>
  new Problem(code, 'terminal', detail, options);

/** Without a stack: a wait is no error, and there may be thousands a second. */
export function waitFor(code: ProblemCode, detail: string, retryAfterMs: number, options?: Omit<ProblemOptions, 'retryAfterMs'>): Problem {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new Problem(code, 'wait', detail, { ...options, retryAfterMs });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export const transient = (code: ProblemCode, detail: string, options?: ProblemOptions): Problem =>
  new Problem(code, 'transient', detail, options);

export const reorder = (code: ProblemCode, detail: string, options?: ProblemOptions): Problem =>
  new Problem(code, 'reorder', detail, options);

/** Anything that is not a Problem is a bug or an outage: the queue tries again, and no detail leaves the process. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return transient('internal_error', 'An unexpected error happened; the log has the details.', { cause: error });
}
