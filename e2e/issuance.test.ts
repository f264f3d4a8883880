import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Stack, startStack } from '@certwright/testing';

describe.each(['redis', 'postgres'] as const)('one certificate, with the queue in %s', (queue) => {
  let stack: Stack;
  let domainId: string;
  let orderId: string;

  beforeAll(async () => {
    stack = await startStack({ queue });
    domainId = (await stack.verifiedDomain('shop.customer.test')).id;
    orderId = await stack.order(domainId);
    await stack.api.settled(domainId, 30_000);
  }, 90_000);
  afterAll(() => stack.stop());

  it('makes the domain active', async () => {
    const { body } = await stack.api.domain(domainId);
    expect(body).toMatchObject({ status: 'active', domain_name: 'shop.customer.test', order_id: orderId });
  });

  it('keeps on the order what each name server said', async () => {
    const { body } = await stack.api.order(orderId);
    expect(body.status).toBe('valid');
    expect(body.authorizations[0]).toMatchObject({
      txt_name: '_acme-challenge.shop.customer.test',
      evidence: { verdict: 'ready', servers: [expect.objectContaining({ state: 'match' })] },
    });
  });

  it('hands out a chain that openssl verifies, with the dates the API reports, and the key that fits', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'certwright-e2e-'));
    const file = (name: string, content: string): string => {
      writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const chainPem = await stack.api.chain(domainId);
    const chain = file('chain.pem', chainPem);
    const root = file('root.pem', await stack.ca.rootPem());
    expect(execFileSync('openssl', ['verify', '-CAfile', root, '-untrusted', chain, chain], { encoding: 'utf8' })).toContain(
      'OK',
    );
    const printed = execFileSync('openssl', ['x509', '-in', chain, '-noout', '-dates', '-serial'], { encoding: 'utf8' });
    const read = (name: string): string => new RegExp(`${name}=(.*)`).exec(printed)?.[1] ?? '';
    const { body } = await stack.api.certificate(domainId);
    expect(new Date(read('notBefore')).toISOString()).toBe(new Date(body.issued_at ?? '').toISOString());
    expect(new Date(read('notAfter')).toISOString()).toBe(new Date(body.expires_at ?? '').toISOString());
    expect(read('serial').toLowerCase()).toBe(body.serial);
    const key = createPrivateKey(await stack.api.privateKey(domainId));
    expect(new X509Certificate(chainPem).checkPrivateKey(key)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('can be asked for again when it is active', async () => {
    const before = (await stack.api.certificate(domainId)).body;
    const again = await stack.order(domainId);
    expect(again).not.toBe(orderId);
    expect((await stack.api.settled(domainId, 30_000)).status).toBe('active');
    expect((await stack.api.certificate(domainId)).body.id).not.toBe(before.id);
  });

  it('ends in failed with the last evidence as the reason when the record never comes, and can be asked for again', async () => {
    const late = await startStack({ queue, env: { POLL_TIMEOUT: '2s' } });
    try {
      const { id } = await late.verifiedDomain('late.customer.test');
      const issued = (await late.api.issue(id)).body;
      expect((await late.api.issue(id)).body.order_id).toBe(issued.order_id);
      const failed = await late.api.settled(id, 20_000);
      expect(failed).toMatchObject({ status: 'failed', status_reason: expect.stringContaining('_acme-challenge.late') });
      expect((await late.api.order(issued.order_id)).body).toMatchObject({
        status: 'invalid',
        reason: { code: 'dns_deadline_passed' },
      });
      await late.workers[0]?.stop();
      await late.startWorker({ POLL_TIMEOUT: '60s' });
      await late.order(id);
      expect((await late.api.settled(id, 20_000)).status).toBe('active');
    } finally {
      await late.stop();
    }
  }, 90_000);
});

it.each(['ec-384', 'rsa-2048'] as const)(
  'a certificate has the kind of key that CERT_KEY_TYPE asks for: %s',
  async (keyType) => {
    const stack = await startStack({ queue: 'postgres', env: { CERT_KEY_TYPE: keyType } });
    try {
      const { id } = await stack.verifiedDomain('keys.customer.test');
      await stack.order(id);
      expect((await stack.api.settled(id, 30_000)).status).toBe('active');
      expect((await stack.api.certificate(id)).body.key_type).toBe(keyType);
      const { asymmetricKeyDetails: key } = new X509Certificate(await stack.api.chain(id)).publicKey;
      expect(key?.modulusLength ?? key?.namedCurve).toBe(keyType === 'rsa-2048' ? 2048 : 'secp384r1');
    } finally {
      await stack.stop();
    }
  },
  60_000,
);
