import { Problem, type ProblemCode, terminal, toProblem, transient, waitFor } from '@certwright/core';
import { statusOf, toDocument } from './problem-document';

/** Written out once more, since clients rely on it; the type leaves no code out. */
const CONTRACT: Record<ProblemCode, number> = {
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

describe('a problem document', () => {
  const contract = Object.entries(CONTRACT) as [ProblemCode, number][];

  it.each(contract)('%s has the status %i and every member of RFC 9457', (code, status) => {
    expect(statusOf(code)).toBe(status);
    const document = toDocument(terminal(code, 'What went wrong.'), 'request-1');
    expect(document).toMatchObject({ type: `urn:certwright:problem:${code}`, status, code, request_id: 'request-1' });
    expect(document.title).toMatch(/^[A-Z]/);
    expect(document.error).toBe(document.detail);
    expect(document.retry_after !== undefined).toBe(status === 429 || status === 503);
  });

  it('says nothing of an unknown error but the request it happened in', () => {
    const document = toDocument(toProblem(new Error('SELECT secret FROM keys')), 'request-1');
    expect(document.status).toBe(500);
    expect(document.detail).toContain('request-1');
    expect(JSON.stringify(document)).not.toMatch(/secret|SELECT|stack/);
  });

  it('counts the wait in whole seconds, rounded up, at least one', () => {
    expect(toDocument(waitFor('acme_rate_limited', 'Too many.', 61_200), 'r').retry_after).toBe(62);
    expect(toDocument(waitFor('acme_rate_limited', 'Too many.', 3), 'r').retry_after).toBe(1);
    expect(toDocument(transient('queue_unavailable', 'Away.'), 'r').retry_after).toBe(5);
  });

  it('passes on what is wrong in the input, and what the CA said', () => {
    const errors = [{ pointer: '/domain_name', detail: 'no name' }];
    const acme = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it.', subproblems: [] };
    expect(toDocument(terminal('acme_rejected', 'Refused.', { errors, acme }), 'r')).toMatchObject({ errors, acme });
    const plain = toDocument(new Problem('not_found', 'terminal', 'None.'), 'r');
    expect(Object.keys(plain).sort()).toEqual(['code', 'detail', 'error', 'request_id', 'status', 'title', 'type']);
  });
});
