import { DIAGNOSIS_CODES, DOMAIN_STATUSES, ORDER_STATUSES } from '@certwright/core';

export type Json = Record<string, unknown>;

export const string: Json = { type: 'string' };
const nullable = (schema: Json): Json => ({ anyOf: [schema, { type: 'null' }] });
export const uuid: Json = { type: 'string', format: 'uuid' };
const instant: Json = { type: 'string', format: 'date-time' };
const listOf = (items: Json): Json => ({ type: 'array', items });
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** All members given are required but the optional ones. */
const object = (properties: Record<string, Json>, optional: string[] = []): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const acmeProblem = object(
  { type: string, detail: string, status: { type: 'integer' }, subproblems: listOf({ type: 'object' }) },
  ['status', 'subproblems'],
);

const evidence = object({
  fqdn: string,
  verdict: { enum: ['ready', 'partial', 'absent', 'no_answer', 'no_zone', 'cname_loop'] },
  via: listOf(string),
  zone: nullable(string),
  servers: listOf(object({ server: string, address: string, state: string, values: listOf(string) })),
  detail: string,
});

const recordSpec = object({ type: { enum: ['TXT', 'CNAME', 'CAA'] }, fqdn: string, host: string, value: string });
const waiting = object({ helps: { type: 'boolean' }, until: nullable(instant) });
const observed = listOf(object({ server: string, address: string, state: string, values: listOf(string) }));
const diagnosisCode: Json = { enum: [...DIAGNOSIS_CODES] };
const actor: Json = { enum: ['nobody', 'customer', 'platform', 'operator'] };

const recordProperties = {
  purpose: { enum: ['delegation', 'ownership', 'acme-challenge'] },
  optional: { type: 'boolean' },
  type: { enum: ['TXT', 'CNAME'] },
  fqdn: string,
  host: string,
  value: string,
  ttl: { type: 'integer' },
  state: nullable(diagnosisCode),
  actor: nullable(actor),
  message: nullable(string),
  action: nullable(string),
  remove: listOf(recordSpec),
  waiting: nullable(waiting),
  since: nullable(instant),
  observed,
};
const dnsRecord = object(recordProperties);
/** `cached`: what this service's resolver remembers of the name. */
const checkedRecord = object({ ...recordProperties, cached: nullable(object({ values: listOf(string), ttl: { type: 'integer' } })) });

const diagnosis = object({
  code: diagnosisCode,
  message: string,
  actor,
  action: string,
  set: nullable(recordSpec),
  remove: listOf(recordSpec),
  waiting,
  at: instant,
  since: instant,
  facts: { type: 'object' },
});

const forecast = object({
  at: instant,
  is_ready: { type: 'boolean' },
  needs_value: { type: 'boolean' },
  records: listOf(object({ fqdn: string, code: diagnosisCode, message: string, action: string, since: instant })),
  refusal: nullable(string),
});

/** `manual`: each renewal needs a new TXT value of the domain's owner. */
const renewal = object({
  window_start: nullable(instant),
  window_end: nullable(instant),
  scheduled_at: nullable(instant),
  expires_at: nullable(instant),
  manual: nullable({ type: 'boolean' }),
  failures: { type: 'integer' },
  last_error: nullable(object({ code: string, detail: string })),
  explanation_url: nullable({ type: 'string', format: 'uri' }),
  forecast: nullable(forecast),
});

const domain = {
  id: uuid,
  domain_name: string,
  names: listOf(string),
  auto: { type: 'boolean' },
  status: { enum: [...DOMAIN_STATUSES] },
  verified_at: nullable(instant),
  created_at: instant,
};

export const schemas: Record<string, Json> = {
  NewDomain: object({
    id: uuid,
    domain_name: string,
    names: listOf(string),
    auto: { type: 'boolean' },
    verification_token: string,
    status: { const: 'pending' },
    dns_records: listOf(dnsRecord),
    instructions: string,
  }),
  Domain: object(domain),
  DomainInFull: object(
    {
      ...domain,
      verification_token: string,
      status_reason: nullable(string),
      dns_records: listOf(dnsRecord),
      order_id: nullable(uuid),
      next_check_at: nullable(instant),
      certificate_id: nullable(uuid),
      renewal,
      updated_at: instant,
      version: string,
    },
    ['verification_token'],
  ),
  Check: object({ domain_id: uuid, status: { enum: [...DOMAIN_STATUSES] }, checked_at: instant, message: string, action: string, dns_records: listOf(checkedRecord) }),
  Event: object(
    {
      id: string,
      at: instant,
      kind: { enum: ['registered', 'verified', 'order', 'dns', 'changed', 'forecast', 'renewal'] },
      order_id: uuid,
      status: { enum: [...ORDER_STATUSES] },
      generation: { type: 'integer' },
      code: string,
      detail: string,
      acme: acmeProblem,
      fqdn: string,
      action: string,
      remove: listOf(recordSpec),
      waiting,
      facts: { type: 'object' },
      observed,
      names: listOf(string),
      forecast,
      step: { enum: ['moved', 'blocked', 'reminder', 'expired'] },
      window_start: instant,
      window_end: instant,
      explanation_url: nullable(string),
      until: instant,
      expired_at: instant,
      records: listOf(object({ fqdn: string, values: listOf(string) })),
    },
    ['step', 'window_start', 'window_end', 'explanation_url', 'until', 'expired_at', 'records', 'names', 'forecast', 'order_id', 'status', 'generation', 'code', 'detail', 'acme', 'fqdn', 'action', 'remove', 'waiting', 'facts', 'observed'],
  ),
  EventList: object({ data: listOf(ref('Event')), last_id: nullable(string) }),
  SetupLink: object({ url: { type: 'string', format: 'uri' }, expires_at: instant }),
  DomainPage: object({ data: listOf(ref('Domain')), next_cursor: nullable(string) }),
  Issuing: object({
    order_id: uuid,
    status: { enum: ['certificate_pending', 'active'] },
    challenge_domain: string,
    expected_txt_value: nullable(string),
    deadline: nullable(instant),
    challenges: listOf(object({ identifier: string, wildcard: { type: 'boolean' }, txt_name: string, txt_value: string })),
    instructions: string,
  }),
  Order: object({
    id: uuid,
    domain_id: uuid,
    status: { enum: [...ORDER_STATUSES] },
    names: listOf(string),
    key_type: string,
    profile: nullable(string),
    status_since: instant,
    generation: { type: 'integer' },
    renewal: { type: 'boolean' },
    needed_by: nullable(instant),
    replaces: nullable(string),
    reason: nullable(
      object(
        {
          code: string,
          detail: string,
          actor,
          action: string,
          until: instant,
          acme: acmeProblem,
        },
        ['until', 'acme'],
      ),
    ),
    history: listOf(
      object(
        { at: instant, status: { enum: [...ORDER_STATUSES] }, generation: { type: 'integer' }, code: string, detail: string, acme: acmeProblem },
        ['code', 'detail', 'acme'],
      ),
    ),
    failures: { type: 'integer' },
    next_check_at: nullable(instant),
    deadline: nullable(instant),
    certificate_id: nullable(uuid),
    created_at: instant,
    updated_at: instant,
    authorizations: listOf(
      object({
        identifier: string,
        wildcard: { type: 'boolean' },
        status: { enum: ['pending', 'valid', 'invalid'] },
        txt_name: string,
        txt_value: string,
        checked_at: nullable(instant),
        evidence: nullable(evidence),
        diagnosis: nullable(diagnosis),
      }),
    ),
  }, ['history']),
  OrderList: object({ data: listOf(ref('Order')) }),
  Certificate: object({
    id: uuid,
    domain_id: uuid,
    order_id: uuid,
    issued_at: instant,
    expires_at: instant,
    created_at: instant,
    names: listOf(string),
    serial: string,
    sha256: string,
    issuer: string,
    not_before: instant,
    not_after: instant,
    key_type: string,
  }),
  Problem: object(
    {
      type: string,
      title: string,
      status: { type: 'integer' },
      detail: string,
      code: string,
      request_id: string,
      error: string,
      errors: listOf(object({ pointer: string, detail: string })),
      acme: acmeProblem,
      order_id: uuid,
      domain_id: uuid,
      retry_after: { type: 'integer' },
    },
    ['errors', 'acme', 'order_id', 'domain_id', 'retry_after'],
  ),
};
