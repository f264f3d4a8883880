import { randomBytes, randomUUID } from 'node:crypto';
import {
  DEFAULT_TENANT_ID,
  type DnsDoctor,
  type IssuedCertificate,
  type JobQueue,
  type Lease,
  type OrderReason,
  type TxtEvidence,
  type TxtLookup,
  type TxtVerdict,
  watchEvents,
  watchOrders,
} from '@certwright/core';
import { createDatabase, type Database } from '@certwright/db';
import { createLogger, createMetrics } from '@certwright/runtime';
import { createTestDatabase, planFor, type TestDatabase } from '@certwright/testing';
import { PassThrough } from 'node:stream';
import { Client } from 'pg';
import request from 'supertest';
import { createApp } from '../app';
import { createSetupLinks } from '../setup-link';

const KEY = 'a-key-for-tests';
const tenant = DEFAULT_TENANT_ID;
const PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\nnot a real one\n-----END PRIVATE KEY-----\n';
const CHAIN = '-----BEGIN CERTIFICATE-----\nnot a real one\n-----END CERTIFICATE-----\n';

const SOON = { dueAt: new Date(), deadlineAt: new Date(Date.now() + 3_600_000) };
const issued: IssuedCertificate = {
  chainPem: CHAIN,
  serial: '0a',
  sha256: 'ab'.repeat(32),
  issuer: 'CN=Test CA',
  keyType: 'ec-256',
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2026-04-01T00:00:00Z'),
};

/** What the tests read of any reply. */
interface Body {
  id: string;
  domain_name: string;
  status: string;
  code: string;
  errors: unknown[];
  instructions: string;
  verification_token: string;
  order_id: string;
  challenge_domain: string;
  names: string[];
  data: { id: string; status: string }[];
  next_cursor: string | null;
}

/** supertest's request, but for the type of the body. */
interface Call extends PromiseLike<{ body: Body; headers: Record<string, string>; text: string }> {
  send(body: object | undefined): Call;
  set(name: string, value: string): Call;
  responseType(type: string): Call;
  expect(status: number): Call;
}

describe('the routes', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let app: ReturnType<typeof createApp>;
  let verdict: TxtVerdict = 'ready';
  /** What a worker would do when `place-order` is added. */
  let place: (orderId: string) => Promise<void> = async () => undefined;
  const logged: string[] = [];

  const evidence = (fqdn: string): TxtEvidence => ({
    fqdn,
    verdict,
    via: [],
    zone: 'customer.com',
    servers: [
      { server: 'ns1.customer.com', address: '192.0.2.1', state: verdict === 'ready' ? 'match' : 'nxdomain', values: [] },
    ],
    detail: `ns1.customer.com says ${verdict} for ${fqdn}.`,
  });
  const txtLookup: TxtLookup = { lookup: async (fqdn) => evidence(fqdn) };
  const dnsDoctor: DnsDoctor = {
    cached: async () => null,
    diagnose: async ({ fqdn, evidence: { detail } }) => ({
      code: verdict === 'ready' ? 'ready' : 'record_missing',
      message: detail,
      actor: 'customer',
      action: 'Set it.',
      set: { type: 'TXT', fqdn, host: 'host', value: 'value' },
      remove: [],
      waiting: { helps: false, until: null },
      at: new Date().toISOString(),
      since: new Date().toISOString(),
      facts: {},
    }),
  };
  const jobs: JobQueue = {
    enqueue: async (_name, payload) => {
      if ('orderId' in payload) await place(payload.orderId);
      return true;
    },
  };

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({ url: testDatabase.url, sealingKey: randomBytes(32) });
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => logged.push(chunk.toString()));
    app = createApp({
      ...database,
      watch: watchOrders(database.orders),
      jobs,
      news: watchEvents(database.events),
      txtLookup,
      dnsDoctor,
      setupLinks: createSetupLinks(randomBytes(32)),
      publicUrl: null,
      acmeZone: null,
      directoryUrl: 'https://ca.test/dir',
      allowSpecialUseDomains: false,
      issueWaitMs: 200,
      phaseTimeoutMs: 60_000,
      keyType: 'ec-256',
      profile: null,
      logger: createLogger({ service: 'api', level: 'info', stream }),
      health: {},
      metrics: createMetrics({ processMetrics: false }),
      authToken: KEY,
      dashboard: null,
    });
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });
  beforeEach(() => {
    verdict = 'ready';
    place = async () => undefined;
  });

  const as = (method: 'get' | 'post' | 'patch' | 'delete', path: string): Call =>
    request(app)[method](path).set('Authorization', `Bearer ${KEY}`);
  const newName = () => `shop-${randomBytes(4).toString('hex')}.customer.com`;

  async function registered(name = newName()): Promise<string> {
    const reply = await as('post', '/domains').send({ domain_name: name }).expect(201);
    return reply.body.id;
  }
  async function verified(): Promise<string> {
    const id = await registered();
    await as('post', `/domains/${id}/verify`).expect(200);
    return id;
  }
  async function claimed(orderId: string): Promise<Lease> {
    const claim = await database.orders.claim(tenant, orderId, 30_000);
    if (claim.kind !== 'claimed') throw new Error(`not claimed: ${claim.kind}`);
    return claim.lease;
  }

  /** As a worker that has placed the order at the CA. */
  const placed = async (orderId: string): Promise<void> => {
    const lease = await claimed(orderId);
    const identifier = lease.order.names[0] ?? '';
    await database.orders.advance(lease, 'awaiting_dns', {
      ...SOON,
      authorizations: [
        {
          identifier,
          wildcard: false,
          url: 'https://ca.test/authz/1',
          challengeUrl: 'https://ca.test/challenge/1',
          txtName: `_acme-challenge.${identifier}`,
          txtValue: 'the-txt-value',
          status: 'pending',
        },
      ],
    });
    await database.orders.release(lease, { dueAt: new Date(Date.now() + 10_000), reason: null, failed: false });
  };
  const refused = (reason: OrderReason) => async (orderId: string) =>
    database.orders.fail(await claimed(orderId), reason);

  async function withCertificate(): Promise<{ id: string; orderId: string }> {
    place = placed;
    const id = await verified();
    const orderId = (await as('post', `/domains/${id}/issue-certificate`).expect(202)).body.order_id;
    const lease = await claimed(orderId);
    await database.orders.advance(lease, 'ready', SOON);
    const keyAndCsr = { privateKeyPem: PRIVATE_KEY, csrDer: Buffer.from('csr') };
    await database.orders.advance(lease, 'processing', { ...SOON, keyAndCsr });
    await database.orders.complete(lease, issued, PRIVATE_KEY, planFor(issued));
    return { id, orderId };
  }

  describe('POST /domains', () => {
    it('answers 201 with the token and what to do with it', async () => {
      const name = newName();
      const sent = { domain_name: `${name.toUpperCase()}.` };
      const { body, headers } = await as('post', '/domains').send(sent).expect(201);
      expect(body).toEqual({
        id: expect.any(String),
        domain_name: name,
        names: [name],
        auto: false,
        dns_records: [expect.objectContaining({ purpose: 'ownership', fqdn: `_certwright-challenge.${name}` })],
        verification_token: expect.stringMatching(/^[\w-]{43}$/),
        status: 'pending',
        instructions: expect.stringContaining(`_certwright-challenge.${name}`),
      });
      expect(body.instructions).toContain(body.verification_token);
      expect(headers.location).toBe(`/domains/${body.id}`);
    });

    it('answers 409 to a name that is there, however it is written', async () => {
      const name = newName();
      const id = await registered(name);
      const { body } = await as('post', '/domains').send({ domain_name: `${name.toUpperCase()}.` }).expect(409);
      expect(body).toMatchObject({ code: 'domain_exists', domain_id: id });
    });

    it.each([
      ['no body', undefined, 'validation_failed', ''],
      ['no name', {}, 'validation_failed', '/domain_name'],
      ['a name that is no text', { domain_name: 7 }, 'validation_failed', '/domain_name'],
      ['a list', [], 'validation_failed', ''],
      ['a member that it does not know', { domain_name: 'a.com', 'a/b~c': 1 }, 'validation_failed', '/a~1b~0c'],
      ['a name that no CA can issue for', { domain_name: 'localhost' }, 'invalid_name', '/domain_name'],
      ['a further name of another domain', { domain_name: 'customer.com', names: ['other.com'] }, 'invalid_name', '/names/0'],
      ['auto without name servers of our own', { domain_name: 'customer.com', auto: true }, 'validation_failed', '/auto'],
      ['names that are no list', { domain_name: 'customer.com', names: 'www.customer.com' }, 'validation_failed', '/names'],
      ['an empty name', { domain_name: '' }, 'invalid_name', '/domain_name'],
    ])('answers 422 to %s, and points at what is wrong', async (_what, sent, code, pointer) => {
      const { body } = await as('post', '/domains').send(sent).expect(422);
      expect(body).toMatchObject({ code, errors: [{ pointer, detail: expect.any(String) }] });
    });
  });

  describe('GET /domains', () => {
    it('pages through all of them, newest first, each once', async () => {
      const mark = randomBytes(4).toString('hex');
      const ids: string[] = [];
      for (let one = 0; one < 5; one += 1) ids.unshift(await registered(`page${one}-${mark}.com`));
      const seen: string[] = [];
      let cursor = '';
      let pages = 0;
      do {
        const { body } = await as('get', `/domains?q=${mark}&limit=2${cursor && `&cursor=${cursor}`}`).expect(200);
        expect(Object.keys(body)).toEqual(['data', 'next_cursor']);
        seen.push(...body.data.map(({ id }) => id));
        cursor = body.next_cursor ?? '';
        pages += 1;
      } while (cursor !== '');
      expect(seen).toEqual(ids);
      expect(pages).toBe(3);
    });

    it('filters by status and by a part of the name', async () => {
      const id = await verified();
      const name = (await as('get', `/domains/${id}`)).body.domain_name;
      const find = async (query: string) => (await as('get', `/domains?${query}`).expect(200)).body.data;
      expect(await find(`q=${name.toUpperCase()}&status=verified`)).toMatchObject([{ id }]);
      expect(await find(`q=${name}&status=pending`)).toEqual([]);
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=x',
      'limit=1&limit=2',
      'status=lost',
      'cursor=mine',
      'colour=red',
      'q[a]=1',
      'q=%00',
      'q=%25',
      'q=_',
      'q=%5C',
      'q=m%C3%BCnchen',
    ])('answers 400 to ?%s', async (query) => {
      const { body } = await as('get', `/domains?${query}`).expect(400);
      expect(body.code).toBe('malformed_request');
      expect(body.errors).toHaveLength(1);
    });
  });

  describe('GET /domains/{id}', () => {
    it('shows the token and its record while the domain is pending', async () => {
      const name = newName();
      const id = await registered(name);
      const { body } = await as('get', `/domains/${id}`).expect(200);
      expect(body).toEqual({
        id,
        domain_name: name,
        names: [name],
        auto: false,
        renewal: expect.objectContaining({ scheduled_at: null, forecast: null }) as unknown,
        status: 'pending',
        verified_at: null,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
        version: expect.stringMatching(/^\d+$/),
        verification_token: expect.any(String),
        status_reason: null,
        dns_records: [
          {
            purpose: 'ownership',
            optional: false,
            type: 'TXT',
            fqdn: `_certwright-challenge.${name}`,
            host: `_certwright-challenge.${name.split('.')[0]}`,
            value: body.verification_token,
            ttl: 60,
            state: null,
            observed: [],
            message: null,
            actor: null,
            action: null,
            remove: [],
            waiting: null,
            since: null,
          },
        ],
        order_id: null,
        next_check_at: null,
        certificate_id: null,
      });
    });

    it('shows the challenge record with what the name servers said while an order waits', async () => {
      place = placed;
      const id = await verified();
      const { body: issuing } = await as('post', `/domains/${id}/issue-certificate`).expect(202);
      const lease = await claimed(issuing.order_id);
      verdict = 'absent';
      const seen = evidence(issuing.challenge_domain);
      const [authorization] = lease.order.authorizations;
      const diagnosis = await dnsDoctor.diagnose({ identifier: 'x', fqdn: seen.fqdn, expected: [], evidence: seen });
      lease.note([{ id: authorization?.id ?? '', evidence: seen, diagnosis }]);
      await database.orders.release(lease, {
        dueAt: new Date('2030-01-01T00:00:00Z'),
        reason: { code: 'dns_not_ready', detail: seen.detail },
        failed: false,
      });
      const { body } = await as('get', `/domains/${id}`).expect(200);
      expect(body).toMatchObject({
        status: 'certificate_pending',
        status_reason: seen.detail,
        order_id: issuing.order_id,
        next_check_at: '2030-01-01T00:00:00.000Z',
        dns_records: [
          {
            purpose: 'acme-challenge',
            fqdn: issuing.challenge_domain,
            value: 'the-txt-value',
            state: 'record_missing',
            action: 'Set it.',
            host: 'host',
            observed: seen.servers,
            message: seen.detail,
          },
        ],
      });
      expect(body).not.toHaveProperty('verification_token');
      const { body: order } = await as('get', `/orders/${issuing.order_id}`).expect(200);
      expect(order).toMatchObject({
        id: issuing.order_id,
        domain_id: id,
        status: 'awaiting_dns',
        names: [body.domain_name],
        reason: { code: 'dns_not_ready', detail: seen.detail },
        certificate_id: null,
        authorizations: [
          {
            identifier: body.domain_name,
            wildcard: false,
            status: 'pending',
            txt_name: issuing.challenge_domain,
            txt_value: 'the-txt-value',
            checked_at: expect.any(String),
            evidence: { verdict: 'absent', zone: 'customer.com', via: [], servers: seen.servers, detail: seen.detail },
          },
        ],
      });
    });
  });

  describe('PATCH /domains/{id}', () => {
    const ask = (id: string, body: object, etag?: string) => {
      const call = as('patch', `/domains/${id}`).send(body);
      return etag === undefined ? call : call.set('If-Match', etag);
    };

    it('gives a pending domain other names, and no order', async () => {
      const name = newName();
      const id = await registered(name);
      const { body } = await ask(id, { names: [`*.${name}`] }).expect(200);
      expect(body).toMatchObject({ names: [name, `*.${name}`], status: 'pending', order_id: null });
      const { body: events } = await as('get', `/domains/${id}/events`);
      expect(events.data.at(-1)).toMatchObject({ kind: 'changed', names: [name, `*.${name}`] });
    });

    it('follows other names of a domain with a certificate by an order for them', async () => {
      const { id, orderId } = await withCertificate();
      const { domain_name: name } = (await as('get', `/domains/${id}`)).body;
      place = async () => undefined;
      const { body } = await ask(id, { names: [`www.${name}`] }).expect(200);
      expect(body).toMatchObject({ status: 'active', names: [name, `www.${name}`] });
      expect(body.order_id).not.toBe(orderId);
      expect((await as('get', `/orders/${body.order_id}`)).body).toMatchObject({ names: [name, `www.${name}`], renewal: true });
      const { body: same } = await ask(id, { names: [`www.${name}`] }).expect(200);
      expect(same.order_id).toBe(body.order_id);
    });

    it('an order that waits for DNS gives way, one that the CA is at does not', async () => {
      place = placed;
      const id = await verified();
      const first = (await as('post', `/domains/${id}/issue-certificate`).expect(202)).body.order_id;
      const { domain_name: name } = (await as('get', `/domains/${id}`)).body;
      const held = await claimed(first);
      const { body } = await ask(id, { names: [`a.${name}`] }).expect(200);
      expect((await as('get', `/orders/${first}`)).body).toMatchObject({ status: 'invalid', reason: { code: 'order_superseded' } });
      await expect(database.orders.handBack(held)).rejects.toMatchObject({ code: 'lease_lost' });
      await database.orders.advance(await claimed(body.order_id), 'validating', SOON);
      expect((await ask(id, { names: [`b.${name}`] }).expect(409)).body.code).toBe('order_under_way');
      expect((await as('get', `/domains/${id}`)).body.names).toEqual([name, `a.${name}`]);
    });

    it('wants names to be proved that nothing proved covers', async () => {
      const id = await verified();
      verdict = 'absent';
      expect((await ask(id, { names: ['customer.com'] }).expect(400)).body.code).toBe('ownership_record_absent');
      verdict = 'ready';
      await ask(id, { names: ['customer.com'] }).expect(200);
    });

    it('changes nothing for somebody who has not seen the last change', async () => {
      const id = await registered();
      const { etag } = (await as('get', `/domains/${id}`)).headers;
      await ask(id, { names: [`a.${newName()}`] }, etag).expect(200);
      expect((await ask(id, { names: [] }, etag).expect(412)).body.code).toBe('version_conflict');
      expect((await ask(id, { auto: true }, 'W/"1"').expect(422)).body.code).toBe('validation_failed');
    });
  });

  describe('DELETE /domains/{id}', () => {
    it('deletes the domain with all that hangs on it', async () => {
      const { id, orderId } = await withCertificate();
      await as('delete', `/domains/${id}`).expect(204);
      for (const rest of ['', '/certificate', '/orders']) await as('get', `/domains/${id}${rest}`).expect(404);
      await as('get', `/orders/${orderId}`).expect(404);
      await as('delete', `/domains/${id}`).expect(404);
    });
  });

  describe('POST /domains/{id}/verify', () => {
    it('answers 200 with the domain, and 400 the second time', async () => {
      const id = await registered();
      const { body } = await as('post', `/domains/${id}/verify`).expect(200);
      expect(body).toMatchObject({ id, status: 'verified', verified_at: expect.stringMatching(/Z$/) });
      expect((await as('post', `/domains/${id}/verify`).expect(400)).body.code).toBe('domain_not_pending');
    });

    it.each<[TxtVerdict, number, string]>([
      ['absent', 400, 'ownership_record_absent'],
      ['partial', 400, 'ownership_record_absent'],
      ['no_answer', 424, 'dns_lookup_failed'],
      ['no_zone', 424, 'dns_lookup_failed'],
    ])('where DNS says %s it answers %i, with what DNS said', async (said, status, code) => {
      const id = await registered();
      verdict = said;
      const { body } = await as('post', `/domains/${id}/verify`).expect(status);
      expect(body).toMatchObject({ code, detail: expect.stringContaining(`ns1.customer.com says ${said}`) });
      expect((await as('get', `/domains/${id}`)).body.status).toBe('pending');
    });
  });

  describe('POST /domains/{id}/issue-certificate', () => {
    it('answers 202 with the TXT value as soon as the order is placed, and the same while it lives', async () => {
      place = placed;
      const id = await verified();
      const { body, headers } = await as('post', `/domains/${id}/issue-certificate`).expect(202);
      const { domain_name: name } = (await as('get', `/domains/${id}`)).body;
      expect(body).toEqual({
        order_id: expect.any(String),
        status: 'certificate_pending',
        challenge_domain: `_acme-challenge.${name}`,
        expected_txt_value: 'the-txt-value',
        deadline: expect.stringMatching(/Z$/),
        challenges: [{ identifier: name, wildcard: false, txt_name: `_acme-challenge.${name}`, txt_value: 'the-txt-value' }],
        instructions: expect.stringContaining('the-txt-value'),
      });
      expect(headers.location).toBe(`/orders/${body.order_id}`);
      expect((await as('post', `/domains/${id}/issue-certificate`).expect(202)).body).toEqual(body);
      const lease = await claimed(body.order_id);
      await database.orders.advance(lease, 'validating', SOON);
      expect((await as('post', `/domains/${id}/issue-certificate`).expect(202)).body).toEqual(body);
    });

    it('answers 202 without the value when no worker places the order in time', async () => {
      const id = await verified();
      const { body } = await as('post', `/domains/${id}/issue-certificate`).expect(202);
      expect(body).toMatchObject({ status: 'certificate_pending', expected_txt_value: null });
      expect(body.instructions).toContain(`/orders/${body.order_id}`);
    });

    it("answers with the CA's own reason when it refuses during the wait, and can be asked again", async () => {
      const acme = { type: 'urn:ietf:params:acme:error:rejectedIdentifier', detail: 'Not this one.' };
      place = refused({ code: 'acme_rejected', detail: 'The CA refuses the name.', acme });
      const id = await verified();
      const { body } = await as('post', `/domains/${id}/issue-certificate`).expect(422);
      expect(body).toMatchObject({ code: 'acme_rejected', detail: 'The CA refuses the name.', acme, order_id: expect.any(String) as string });
      expect((await as('get', `/domains/${id}`)).body).toMatchObject({
        status: 'failed',
        status_reason: 'The CA refuses the name.',
      });
      place = placed;
      await as('post', `/domains/${id}/issue-certificate`).expect(202);
      const { body: orders } = await as('get', `/domains/${id}/orders`).expect(200);
      expect(orders.data.map(({ status }) => status)).toEqual(['awaiting_dns', 'invalid']);
    });

    it('answers 400 before the domain is verified', async () => {
      const id = await registered();
      expect((await as('post', `/domains/${id}/issue-certificate`).expect(400)).body.code).toBe('domain_not_verified');
    });
  });

  describe('GET /domains/{id}/certificate', () => {
    it("is 404 until there is one, then has the certificate's own dates", async () => {
      const none = await registered();
      expect((await as('get', `/domains/${none}/certificate`).expect(404)).body.code).toBe('certificate_absent');
      const { id, orderId } = await withCertificate();
      const { body } = await as('get', `/domains/${id}/certificate`).expect(200);
      expect(body).toMatchObject({
        domain_id: id,
        issued_at: '2026-01-01T00:00:00.000Z',
        expires_at: '2026-04-01T00:00:00.000Z',
        not_before: '2026-01-01T00:00:00.000Z',
        not_after: '2026-04-01T00:00:00.000Z',
        serial: '0a',
        sha256: issued.sha256,
        issuer: 'CN=Test CA',
        key_type: 'ec-256',
      });
      const { body: domain } = await as('get', `/domains/${id}`).expect(200);
      expect(domain).toMatchObject({ status: 'active', certificate_id: body.id, dns_records: [] });
      expect((await as('get', `/orders/${orderId}`)).body).toMatchObject({ status: 'valid', certificate_id: body.id });
    });

    it('is the PEM chain where that is asked for, and facts without the chain where it is not', async () => {
      const { id } = await withCertificate();
      const pem = await as('get', `/domains/${id}/certificate`)
        .set('Accept', 'application/pem-certificate-chain')
        .responseType('blob')
        .expect(200);
      expect(pem.headers['content-type']).toMatch(/^application\/pem-certificate-chain/);
      expect(pem.headers.vary).toMatch(/Accept/);
      expect(pem.body).toEqual(Buffer.from(CHAIN));
      expect((await as('get', `/domains/${id}/certificate`).set('Accept', '*/*')).text).not.toContain('BEGIN');
    });

    it('has the private key beside it: never cached, and written to the log without the key', async () => {
      const { id } = await withCertificate();
      logged.length = 0;
      const reply = await as('get', `/domains/${id}/certificate/private-key`).responseType('blob').expect(200);
      expect(reply.body).toEqual(Buffer.from(PRIVATE_KEY));
      expect(reply.headers['cache-control']).toBe('no-store');
      const lines = logged.join('');
      expect(lines).toMatch(/"message":"a private key was handed out"/);
      expect(lines).toContain(id);
      expect(lines).not.toContain('not a real one');
    });
  });

  it.each([
    ['get', ''],
    ['delete', ''],
    ['post', '/verify'],
    ['post', '/issue-certificate'],
    ['get', '/orders'],
    ['get', '/certificate'],
    ['get', '/certificate/private-key'],
  ] as const)('%s /domains/{id}%s knows neither an unknown id nor one of another form', async (method, rest) => {
    const unknown = await as(method, `/domains/${randomUUID()}${rest}`).expect(404);
    for (const id of ['7', 'null', '%27%3B--', '..%2F..', `${randomUUID()}0`]) {
      const { body } = await as(method, `/domains/${id}${rest}`).expect(404);
      expect(body.code).toBe(unknown.body.code);
    }
  });

  it('shows nothing of another tenant, and says the same as for what is not there', async () => {
    const other = randomUUID();
    const url = new URL(testDatabase.url);
    const client = new Client({ connectionString: url.href });
    await client.connect();
    await client.query('INSERT INTO tenants (id, name) VALUES ($1, $2)', [other, 'another']);
    await client.end();
    const { id } = await database.domains.create(other, { names: [newName()], verificationToken: 'x', auto: false });
    await database.domains.markVerified(other, id);
    const { order } = await database.orders.create(other, {
      domainId: id,
      keyType: 'ec-256',
      profile: null,
      phaseMs: 1_000,
      requestId: null,
    });
    for (const path of [`/domains/${id}`, `/orders/${order.id}`]) {
      expect((await as('get', path).expect(404)).body.code).toBe('not_found');
    }
    await as('delete', `/domains/${id}`).expect(404);
    expect(await database.domains.get(other, id)).not.toBeNull();
  });

  it('GET /orders/{id} knows neither an unknown id nor one of another form', async () => {
    for (const id of [randomUUID(), '7']) {
      expect((await as('get', `/orders/${id}`).expect(404)).body.code).toBe('not_found');
    }
  });
});
