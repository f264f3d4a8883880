import { randomUUID } from 'node:crypto';
import { type ApiReply, createApiClient, createTestDatabase, type Stack, startCertwright, startStack } from '@certwright/testing';

/** Status, code, and a sentence that a stranger understands, for everything a caller or operator gets wrong. */
describe('a caller who gets it wrong', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ queue: 'postgres' });
  }, 60_000);
  afterAll(() => stack.stop());

  function expectProblem(reply: ApiReply, status: number, code: string): void {
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.body).toMatchObject({ status, code, title: expect.any(String), request_id: expect.any(String) });
    expect(reply.body.error).toBe(reply.body.detail);
    expect(reply.status).toBe(status);
    expect(String(reply.body.detail)).toMatch(/\w+ \w+ .*[.:]/);
  }

  it('without a token, or with a wrong one, gets 401', async () => {
    const nobody = createApiClient(stack.apiProcess.url, 'wrong');
    expectProblem(await nobody.call('GET', '/domains'), 401, 'unauthorized');
    const reply = await fetch(`${stack.apiProcess.url}/domains`);
    expect(await reply.json()).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('with JSON that is none gets 400', async () => {
    const reply = await fetch(`${stack.apiProcess.url}/domains`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.secrets.authToken}`, 'content-type': 'application/json' },
      body: '{"domain_name": ',
    });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ code: 'malformed_request' });
  });

  it.each(['', 'localhost', '127.0.0.1', 'com', 'a..test', '-a.test', 'exa mple.test', 'http://a.test', 'a_b.test', '*.*.test', 'a.*.test', 'x'.repeat(64) + '.test'])(
    'with the name %p gets 422',
    async (name) => {
      const reply = await stack.api.call('POST', '/domains', { body: { domain_name: name } });
      expect(reply.status).toBe(422);
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
    },
  );

  it('with a name that exists gets 409', async () => {
    await stack.api.register('twice.customer.test');
    expectProblem(await stack.api.call('POST', '/domains', { body: { domain_name: 'TWICE.customer.test.' } }), 409, 'domain_exists');
  });

  it.each(['/domains/none', `/domains/${randomUUID()}`, `/orders/${randomUUID()}`, '/nowhere'])('who asks for %s gets 404', async (path) => {
    expectProblem(await stack.api.call('GET', path), 404, 'not_found');
  });

  it('with a method that is not there gets 405', async () => {
    expectProblem(await stack.api.call('PUT', '/domains', { body: {} }), 405, 'method_not_allowed');
  });

  it('who verifies before the record is there gets 400, with what the name servers said', async () => {
    const { body } = await stack.api.register('early.customer.test');
    const reply = await stack.api.call('POST', `/domains/${body.id}/verify`);
    expectProblem(reply, 400, 'ownership_record_absent');
    expect(reply.body.detail).toContain('_certwright-challenge.early.customer.test');
  });

  it('who verifies a domain that no name server knows gets 424', async () => {
    const { body } = await stack.api.register('shop.nowhere.test');
    expectProblem(await stack.api.call('POST', `/domains/${body.id}/verify`), 424, 'dns_lookup_failed');
  });

  it('who asks for a certificate before verifying gets 400', async () => {
    const { body } = await stack.api.register('unverified.customer.test');
    expectProblem(await stack.api.call('POST', `/domains/${body.id}/issue-certificate`), 400, 'domain_not_verified');
  });

  it('who asks for a certificate that is not there yet gets 404', async () => {
    const { body } = await stack.api.register('nothing.customer.test');
    expectProblem(await stack.api.call('GET', `/domains/${body.id}/certificate`), 404, 'certificate_absent');
  });

  it('can publish the ownership token at the older name too', async () => {
    const { body } = await stack.api.register('older.customer.test');
    stack.dns.setTxt('_acme-challenge.older.customer.test', [body.verification_token ?? '']);
    expect((await stack.api.verify(body.id)).body.status).toBe('verified');
  });

  it('can delete the domain, and register it again', async () => {
    const { body } = await stack.api.register('deleted.customer.test');
    expect((await stack.api.call('DELETE', `/domains/${body.id}`)).status).toBe(204);
    expect((await stack.api.domain(body.id)).status).toBe(404);
    expect((await stack.api.register('deleted.customer.test')).status).toBe(201);
  });
});

describe('an operator who gets it wrong', () => {
  it.each(['api', 'worker'] as const)('is told every wrong variable of the %s in one message, and exit code 78', async (role) => {
    const one = await startCertwright(role, { POLL_INTERVAL: '10', ACME_EMAIL: 'nobody', MASTER_KEY: 'short', DATABASE_URL: 'x' });
    expect(await one.exited).toBe(78);
    for (const name of ['POLL_INTERVAL', 'ACME_EMAIL', 'MASTER_KEY', 'DATABASE_URL']) expect(one.output()).toContain(`${name} must`);
  });

  it('is told when a process has another master key than the database, and nothing is changed', async () => {
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, AUTH_TOKEN: 'sixteen-characters' };
    const [right, wrong] = [Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 2).toString('base64')];
    const first = await startCertwright('api', { ...env, MASTER_KEY: right });
    await first.ready();
    for (const role of ['api', 'worker'] as const) {
      const other = await startCertwright(role, { ...env, MASTER_KEY: wrong });
      expect(await other.exited).toBe(1);
      expect(other.output()).toContain('is not the key this database was sealed with');
      expect(other.output()).not.toContain(wrong);
    }
    expect(await first.stop()).toBe(0);
    await database.drop();
  });

  it('is told when production lacks its secrets', async () => {
    const one = await startCertwright('api', { NODE_ENV: 'production', DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/x' });
    expect(await one.exited).toBe(78);
    for (const name of ['AUTH_TOKEN', 'MASTER_KEY']) expect(one.output()).toContain(`${name} must be set`);
  });

  it('is told when the database was not migrated, and the process ends', async () => {
    const one = await startCertwright('worker', { DATABASE_URL: `${process.env.CERTWRIGHT_TEST_POSTGRES ?? ''}postgres` });
    expect(await one.exited).toBe(1);
    expect(one.output()).toContain('npm run db:migrate');
  });
});
