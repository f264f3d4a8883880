import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertCertificateFits, type AcmeAccount, type AcmeOrder, type Problem } from '@certwright/core';
import { startAcmeCa, type AcmeCa } from '@certwright/testing';
import { createAcmeGateway, type ClosableAcmeGateway } from './gateway';
import { createKeyMaker } from './keys';
import type { AcmeRequestInfo } from './transport';

const NO_PAUSE = { pausedUntil: null, ordersPausedUntil: null, pauseReason: null };

const DAY_MS = 86_400_000;
const keyMaker = createKeyMaker();

describe('the gateway at Pebble', () => {
  let ca: AcmeCa;
  let gateway: ClosableAcmeGateway;
  let account: AcmeAccount;
  let exchanges: AcmeRequestInfo[] = [];

  const start = (env: Record<string, string>): Promise<AcmeCa> =>
    startAcmeCa({ dnsServer: '127.0.0.1:53', env: { PEBBLE_VA_ALWAYS_VALID: '1', ...env } });
  const gatewayTo = ({ directoryUrl, caFile }: AcmeCa): ClosableAcmeGateway =>
    createAcmeGateway({ directoryUrl, caPem: readFileSync(caFile, 'utf8'), onRequest: (info) => exchanges.push(info) });
  const register = async (at: ClosableAcmeGateway, id: string): Promise<AcmeAccount> => {
    const privateKeyPem = await keyMaker.accountKey();
    return { id, privateKeyPem, url: await at.newAccount(privateKeyPem, 'hostmaster@customer.example'), ...NO_PAUSE };
  };

  beforeAll(async () => {
    ca = await start({ PEBBLE_WFE_NONCEREJECT: '0' });
    gateway = gatewayTo(ca);
    account = await register(gateway, 'first');
  });
  afterAll(async () => {
    gateway.close();
    await ca.stop();
  });
  beforeEach(() => {
    exchanges = [];
  });

  /** Looks until `settled`, with a bound: the test's own waiting, as the gateway has none. */
  async function until<T>(look: () => Promise<T>, settled: (value: T) => boolean): Promise<T> {
    for (let tries = 0; tries < 100; tries += 1) {
      const value = await look();
      if (settled(value)) return value;
      await sleep(50);
    }
    throw new Error('it never settled');
  }

  async function validate(at: ClosableAcmeGateway, as: AcmeAccount, order: AcmeOrder): Promise<void> {
    for (const url of order.authorizationUrls) {
      const { dns01, status } = await at.getAuthorization(as, url);
      if (status === 'valid') continue; // Pebble reuses one in a hundred even when told to reuse none
      if (dns01 === null) throw new Error('no dns-01');
      await at.respondToChallenge(as, dns01.url);
      await until(() => at.getAuthorization(as, url), (authorization) => authorization.status === 'valid');
    }
  }

  async function issue(at: ClosableAcmeGateway, as: AcmeAccount, names: string[], profile: string, replaces: string | null = null) {
    const order = await at.newOrder(as, { names, profile, replaces });
    await validate(at, as, order);
    const { privateKeyPem, csrDer } = await keyMaker.keyAndCsr(names, 'ec-256');
    await at.finalize(as, order, csrDer);
    const { certificateUrl } = await until(() => at.getOrder(as, order.url), ({ status }) => status === 'valid');
    const chainPem = await at.downloadCertificate(as, certificateUrl ?? '');
    return assertCertificateFits({ chainPem, privateKeyPem, names });
  }

  it('takes an order through to a certificate under the CA’s root, with the profile asked for', async () => {
    const names = ['shop.customer.test', '*.shop.customer.test'];
    const long = await issue(gateway, account, names, 'default');
    const short = await issue(gateway, account, names, 'shortlived');
    const days = ({ notBefore, notAfter }: typeof long) => Math.round((+notAfter - +notBefore) / DAY_MS);
    expect([days(long), days(short)]).toEqual([90, 6]);
    const chain = long.chainPem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    const [leaf, intermediate] = chain.map((pem) => new X509Certificate(pem));
    const root = new X509Certificate(await ca.rootPem());
    expect(leaf?.verify(intermediate?.publicKey ?? root.publicKey)).toBe(true);
    expect(intermediate?.verify(root.publicKey)).toBe(true);
  });

  describe('renewal information (RFC 9773)', () => {
    const names = ['renew.customer.test'];
    const problemOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'no problem', (error: unknown) => error);

    it('tells when to renew, as the CA suggests, and when to ask again', async () => {
      const { chainPem, notBefore, notAfter } = await issue(gateway, account, names, 'default');
      const certId = gateway.certId(chainPem) ?? '';
      const suggested = await gateway.renewalInfo(certId);
      expect(suggested?.retryAfterMs).toBe(6 * 3_600_000);
      expect(suggested && suggested.start > notBefore && suggested.end < notAfter && suggested.end > suggested.start).toBe(true);
      const window = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-01-02T00:00:00Z') };
      await ca.suggestRenewal(chainPem, { ...window, explanationUrl: 'https://ca.test/why' });
      expect(await gateway.renewalInfo(certId)).toMatchObject({ ...window, explanationUrl: 'https://ca.test/why' });
    });

    it('names the certificate that an order replaces; once replaced, or another account’s, the CA refuses that, and not the order', async () => {
      const { chainPem } = await issue(gateway, account, names, 'default');
      const replaces = gateway.certId(chainPem);
      await issue(gateway, account, names, 'default', replaces);
      const replaced = problemOf(gateway.newOrder(account, { names, profile: 'default', replaces }));
      expect(await replaced).toMatchObject({ code: 'acme_replaces_refused', acme: { type: expect.stringMatching(/:alreadyReplaced$/) as string } });
      const other = await register(gateway, 'other');
      const { chainPem: another } = await issue(gateway, account, names, 'default');
      const ofAnother = problemOf(gateway.newOrder(other, { names, profile: 'default', replaces: gateway.certId(another) }));
      expect(await ofAnother).toMatchObject({ code: 'acme_replaces_refused', pause: undefined });
      const unknown = problemOf(gateway.newOrder(other, { names, profile: 'default', replaces: 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE' }));
      expect(await unknown).toMatchObject({ code: 'acme_replaces_refused' });
      expect((await gateway.newOrder(other, { names, profile: 'default' })).status).toBe('pending');
    });

    it('is refused for a certificate that the CA does not know', async () => {
      expect(await problemOf(gateway.renewalInfo('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'))).toMatchObject({ code: 'acme_rejected', disposition: 'terminal' });
    });
  });

  it('makes one request a call: 7 exchanges for an order of one name, once the CA has settled', async () => {
    const order = await gateway.newOrder(account, { names: ['count.customer.test'], profile: 'default' });
    const [url = ''] = order.authorizationUrls;
    const { dns01, identifier, status, wildcard } = await gateway.getAuthorization(account, url);
    expect({ identifier, status, wildcard }).toEqual({
      identifier: 'count.customer.test',
      status: 'pending',
      wildcard: false,
    });
    await gateway.respondToChallenge(account, dns01?.url ?? '');
    await sleep(200);
    expect((await gateway.getAuthorization(account, url)).status).toBe('valid');
    const { csrDer } = await keyMaker.keyAndCsr(['count.customer.test'], 'ec-256');
    await gateway.finalize(account, order, csrDer);
    await sleep(200);
    const { certificateUrl } = await gateway.getOrder(account, order.url);
    await gateway.downloadCertificate(account, certificateUrl ?? '');
    expect(exchanges.map(({ method, status: answer }) => `${method} ${answer}`)).toEqual([
      'POST 201',
      ...Array.from({ length: 6 }, () => 'POST 200'),
    ]);
  });

  it('finds an order again in another process, and does not finalize it twice', async () => {
    const names = ['resume.customer.test'];
    const order = await gateway.newOrder(account, { names, profile: 'default' });
    const resumed = gatewayTo(ca);
    const again = await resumed.getOrder(account, order.url);
    expect(again).toEqual(order);
    const { csrDer } = await keyMaker.keyAndCsr(names, 'ec-256');
    await expect(resumed.finalize(account, again, csrDer)).rejects.toMatchObject({
      code: 'acme_pending',
      disposition: 'wait',
    });
    await validate(resumed, account, again);
    expect((await resumed.getOrder(account, order.url)).status).toBe('ready');
    await resumed.finalize(account, again, csrDer);
    await until(() => resumed.getOrder(account, order.url), ({ status }) => status === 'valid');
    await expect(resumed.finalize(account, again, csrDer)).rejects.toMatchObject({ code: 'acme_pending' });
    resumed.close();
  });

  it('answers a challenge that was answered before with a wait, not with an error that ends the order', async () => {
    const order = await gateway.newOrder(account, { names: ['twice.customer.test'], profile: 'default' });
    const { dns01 } = await gateway.getAuthorization(account, order.authorizationUrls[0] ?? '');
    await validate(gateway, account, order);
    await expect(gateway.respondToChallenge(account, dns01?.url ?? '')).rejects.toMatchObject({
      code: 'acme_pending',
      disposition: 'wait',
    });
  });

  it('registers one account for one key, however often and at once it is asked to', async () => {
    const key = await keyMaker.accountKey();
    const [one, two] = await Promise.all([gateway.newAccount(key, null), gateway.newAccount(key, null)]);
    expect(two).toBe(one);
    expect(await gateway.newAccount(key, 'other@customer.example')).toBe(one);
    expect(one).not.toBe(account.url);
  });

  it('serves several accounts, and keeps their keys apart', async () => {
    const other = await register(gateway, 'second');
    const order = await gateway.newOrder(other, { names: ['other.customer.test'], profile: 'default' });
    await expect(gateway.getOrder(account, order.url)).rejects.toMatchObject({ code: 'acme_order_gone' });
    expect((await gateway.getOrder(other, order.url)).status).toBe('pending');
    expect(await gateway.dns01Value(other, 'token')).not.toBe(await gateway.dns01Value(account, 'token'));
    expect(await gateway.dns01Value(account, 'token')).toMatch(/^[\w-]{43}$/);
  });

  it('tells an unknown account from an unknown order, and a refused name from both', async () => {
    const nobody = { ...account, url: `${account.url}0` };
    const names = ['unknown.customer.test'];
    await expect(gateway.newOrder(nobody, { names, profile: 'default' })).rejects.toMatchObject({
      code: 'acme_account_unknown',
    });
    const order = await gateway.newOrder(account, { names, profile: 'default' });
    await expect(gateway.getOrder(account, `${order.url}0`)).rejects.toMatchObject({
      code: 'acme_order_gone',
      disposition: 'transient',
    });
    await expect(gateway.getAuthorization(account, `${order.authorizationUrls[0]}0`)).rejects.toMatchObject({
      code: 'acme_order_gone',
    });
    const refusal = await gateway.newOrder(account, { names, profile: 'nonesuch' }).catch((error: Problem) => error);
    expect(refusal).toMatchObject({
      code: 'acme_rejected',
      disposition: 'terminal',
      acme: { type: 'urn:ietf:params:acme:error:invalidProfile' },
    });
  });

  it('refuses a CA whose TLS it was not told to trust', async () => {
    const distrustful = createAcmeGateway({ directoryUrl: ca.directoryUrl });
    await expect(distrustful.newAccount(account.privateKeyPem, null)).rejects.toMatchObject({
      code: 'acme_unreachable',
      message: expect.stringContaining('not trusted'),
    });
    distrustful.close();
  });

  it('gets 32 orders through, 16 at once, while the CA refuses every second nonce', async () => {
    const rude = await start({ PEBBLE_WFE_NONCEREJECT: '50' });
    const at = gatewayTo(rude);
    try {
      const as = await patiently(() => register(at, 'rude'));
      const names = Array.from({ length: 32 }, (_, index) => `n${index}.customer.test`);
      const issued: string[] = [];
      const lane = async (): Promise<void> => {
        for (let name = names.pop(); name !== undefined; name = names.pop()) {
          const order = await patiently(() => at.newOrder(as, { names: [name ?? ''], profile: 'default' }));
          issued.push(order.url);
        }
      };
      await Promise.all(Array.from({ length: 16 }, lane));
      expect(new Set(issued).size).toBe(32);
    } finally {
      at.close();
      await rude.stop();
    }
  });

  /** One call in 32 loses five nonces in a row at 50 %: that is for the queue to repeat, and here for the test. */
  async function patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await call();
      } catch (error) {
        if ((error as Problem).code !== 'acme_server_error' || tries === 5) throw error;
      }
    }
  }
});
