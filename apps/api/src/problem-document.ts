import { STATUS_CODES } from 'node:http';
import type { Problem, ProblemCode } from '@certwright/core';

/** HTTP status of each code. The type leaves none out. */
const STATUS: Record<ProblemCode, number> = {
  malformed_request: 400,
  validation_failed: 422,
  invalid_name: 422,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  payload_too_large: 413,
  domain_exists: 409,
  domain_not_pending: 400,
  domain_not_verified: 400,
  order_under_way: 409,
  order_superseded: 409,
  version_conflict: 412,
  ownership_record_absent: 400,
  certificate_absent: 404,
  dns_lookup_failed: 424,
  dns_not_ready: 424,
  dns_deadline_passed: 424,
  order_deadline_passed: 503,
  acme_unreachable: 503,
  acme_server_error: 503,
  acme_bad_response: 503,
  acme_rate_limited: 429,
  acme_budget_spent: 429,
  acme_account_refused: 503,
  acme_account_unknown: 503,
  acme_order_gone: 503,
  dns_zone_missing: 409,
  caa_forbids_issuer: 409,
  acme_rejected: 422,
  acme_replaces_refused: 422,
  acme_challenge_failed: 424,
  acme_order_invalid: 422,
  acme_pending: 503,
  acme_validating: 503,
  certificate_mismatch: 500,
  worker_crashed: 500,
  lease_busy: 503,
  lease_lost: 503,
  sealing_key_missing: 503,
  database_not_migrated: 503,
  database_unavailable: 503,
  queue_unavailable: 503,
  internal_error: 500,
};

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  request_id: string;
  /** The older field, the same text as `detail`. */
  error: string;
  errors?: { pointer: string; detail: string }[];
  acme?: Problem['acme'];
  order_id?: string;
  domain_id?: string;
  /** Seconds. */
  retry_after?: number;
}

const DEFAULT_RETRY_AFTER_S = 5;

export const statusOf = (code: ProblemCode): number => STATUS[code];

/** RFC 9457. A 500 says nothing but the request's id: its detail is in the log. */
export function toDocument(problem: Problem, requestId: string): ProblemDocument {
  const status = statusOf(problem.code);
  const detail = status === 500 ? `Something unexpected happened. The log has it under request ${requestId}.` : problem.message;
  const waitMs = problem.retryAfterMs;
  const retryAfter = waitMs === undefined ? DEFAULT_RETRY_AFTER_S : Math.max(1, Math.ceil(waitMs / 1000));
  return {
    type: `urn:certwright:problem:${problem.code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code: problem.code,
    request_id: requestId,
    error: detail,
    ...(problem.errors && { errors: problem.errors }),
    ...(problem.acme && { acme: problem.acme }),
    ...(problem.about && ('orderId' in problem.about ? { order_id: problem.about.orderId } : { domain_id: problem.about.domainId })),
    ...((status === 429 || status === 503) && { retry_after: retryAfter }),
  };
}
