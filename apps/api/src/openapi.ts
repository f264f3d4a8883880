import { DOMAIN_STATUSES, ORDER_STATUSES } from '@certwright/core';
import type { ObjectSchema } from 'joi';
import { listQuery, newDomainBody } from './routes/domains';

type Json = Record<string, unknown>;

const string: Json = { type: 'string' };
const nullable = (schema: Json): Json => ({ anyOf: [schema, { type: 'null' }] });
const uuid: Json = { type: 'string', format: 'uuid' };
const instant: Json = { type: 'string', format: 'date-time' };
const listOf = (items: Json): Json => ({ type: 'array', items });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

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

const domain = {
  id: uuid,
  domain_name: string,
  status: { enum: [...DOMAIN_STATUSES] },
  verified_at: nullable(instant),
  created_at: instant,
};

const schemas: Record<string, Json> = {
  NewDomain: object({ id: uuid, domain_name: string, verification_token: string, status: { const: 'pending' }, instructions: string }),
  Domain: object(domain),
  DomainInFull: object(
    {
      ...domain,
      verification_token: string,
      status_reason: nullable(string),
      dns_records: listOf(
        object({
          purpose: { enum: ['ownership', 'acme-challenge'] },
          type: { const: 'TXT' },
          fqdn: string,
          host: string,
          value: string,
          ttl: { type: 'integer' },
          state: nullable(string),
          observed: listOf({ type: 'object' }),
          message: nullable(string),
        }),
      ),
      order_id: nullable(uuid),
      next_check_at: nullable(instant),
      certificate_id: nullable(uuid),
      updated_at: instant,
    },
    ['verification_token'],
  ),
  DomainPage: object({ data: listOf(ref('Domain')), next_cursor: nullable(string) }),
  Issuing: object({
    order_id: uuid,
    status: { const: 'certificate_pending' },
    challenge_domain: string,
    expected_txt_value: nullable(string),
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
    reason: nullable(
      object(
        {
          code: string,
          detail: string,
          actor: { enum: ['nobody', 'customer', 'platform', 'operator'] },
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
      retry_after: { type: 'integer' },
    },
    ['errors', 'acme', 'retry_after'],
  ),
};

const jsonSchemaOf = (schema: ObjectSchema): Json =>
  schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });

function queryParameters(schema: ObjectSchema): Json[] {
  const { properties = {} } = jsonSchemaOf(schema) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, one]) => ({ name, in: 'query', schema: one }));
}

const reply = (description: string, schema: Json): Json => ({ description, content: { 'application/json': { schema } } });
const failure = (status: number): [string, Json] => [
  String(status),
  { description: 'Refused', content: { 'application/problem+json': { schema: ref('Problem') } } },
];

function operation(summary: string, success: Record<string, Json>, errors: number[], more: Json = {}): Json {
  return { summary, ...more, responses: { ...success, ...Object.fromEntries([401, ...errors].map(failure)) } };
}

const withId: Json = { parameters: [{ name: 'id', in: 'path', required: true, schema: uuid }] };

const paths: Json = {
  '/domains': {
    post: operation('Register a domain', { 201: reply('Registered', ref('NewDomain')) }, [400, 409, 413, 415, 422], {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchemaOf(newDomainBody) } } },
    }),
    get: operation('List domains, newest first', { 200: reply('A page', ref('DomainPage')) }, [400], {
      parameters: queryParameters(listQuery),
    }),
  },
  '/domains/{id}': {
    ...withId,
    get: operation('One domain, and what to set in DNS now', { 200: reply('The domain', ref('DomainInFull')) }, [404]),
    delete: operation('Delete a domain with its orders and certificates', { 204: { description: 'Deleted' } }, [404]),
  },
  '/domains/{id}/verify': {
    ...withId,
    post: operation('Prove ownership by the TXT record', { 200: reply('Verified', ref('Domain')) }, [400, 404, 424]),
  },
  '/domains/{id}/issue-certificate': {
    ...withId,
    post: operation('Ask for a certificate', { 202: reply('Under way', ref('Issuing')) }, [400, 404, 422, 424, 429, 503]),
  },
  '/domains/{id}/orders': {
    ...withId,
    get: operation('The orders of a domain, newest first', { 200: reply('Orders', ref('OrderList')) }, [404]),
  },
  '/domains/{id}/certificate': {
    ...withId,
    get: operation(
      'The newest certificate',
      {
        200: {
          description: 'Facts as JSON, or the chain as PEM',
          content: {
            'application/json': { schema: ref('Certificate') },
            'application/pem-certificate-chain': { schema: string },
          },
        },
      },
      [404],
    ),
  },
  '/domains/{id}/certificate/private-key': {
    ...withId,
    get: operation(
      'The private key of the newest certificate (PKCS #8)',
      { 200: { description: 'The key', content: { 'application/x-pem-file': { schema: string } } } },
      [404],
    ),
  },
  '/metrics': {
    get: operation('For Prometheus', { 200: { description: 'Metrics', content: { 'text/plain': { schema: string } } } }, []),
  },
  '/orders/{id}': {
    ...withId,
    get: operation('One order: what each name server said, its history, who has to do what', { 200: reply('The order', ref('Order')) }, [404]),
  },
};

/** OpenAPI 3.1 of the whole API. */
export const openApiDocument = (): Json => ({
  openapi: '3.1.0',
  info: {
    title: 'Certwright',
    version: '0.1.0',
    description: "Gets and keeps TLS certificates for other people's domains. Errors are problem documents (RFC 9457).",
  },
  security: [{ bearer: [] }],
  paths,
  components: { schemas, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
});
