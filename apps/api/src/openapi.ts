import type { ObjectSchema } from 'joi';
import { type Json, ref, schemas, string, uuid } from './openapi-schemas';
import { domainChangeBody, issueBody, listQuery, newDomainBody, waitQuery } from './routes/domains';
import { eventsQuery } from './routes/events';
import { setupLinkBody } from './routes/setup';

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
    get: operation('One domain, and what to set in DNS now', { 200: reply('The domain', ref('DomainInFull')) }, [400, 404], {
      parameters: queryParameters(waitQuery),
    }),
    patch: operation('Change its names or settings', { 200: reply('The domain', ref('DomainInFull')) }, [400, 404, 409, 412, 413, 415, 422, 424], {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchemaOf(domainChangeBody) } } },
    }),
    delete: operation('Delete a domain with its orders and certificates', { 204: { description: 'Deleted' } }, [404]),
  },
  '/domains/{id}/verify': {
    ...withId,
    post: operation('Prove ownership by the TXT record', { 200: reply('Verified', ref('Domain')) }, [400, 404, 424]),
  },
  '/domains/{id}/issue-certificate': {
    ...withId,
    post: operation('Ask for a certificate', { 202: reply('Under way', ref('Issuing')) }, [400, 404, 409, 422, 424, 429, 503], {
      requestBody: { content: { 'application/json': { schema: jsonSchemaOf(issueBody) } } },
    }),
  },
  '/domains/{id}/renew': {
    ...withId,
    post: operation('Renew its certificate now', { 202: reply('Under way', ref('Issuing')) }, [404, 409, 422, 424, 429, 503]),
  },
  '/domains/{id}/check': {
    ...withId,
    post: operation('Look at DNS now: what is wrong, and what to paste where', { 200: reply('What was seen', ref('Check')) }, [404]),
  },
  '/domains/{id}/events': {
    ...withId,
    get: operation(
      'The timeline: one entry for each change',
      {
        200: {
          description: 'Events, oldest first; as a stream they go on as they happen',
          content: { 'application/json': { schema: ref('EventList') }, 'text/event-stream': { schema: string } },
        },
      },
      [400, 404],
      { parameters: queryParameters(eventsQuery) },
    ),
  },
  '/domains/{id}/setup-link': {
    ...withId,
    post: operation('A link to the page that shows the owner what to set', { 201: reply('The link', ref('SetupLink')) }, [404, 422], {
      requestBody: { content: { 'application/json': { schema: jsonSchemaOf(setupLinkBody) } } },
    }),
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
