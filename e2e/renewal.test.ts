import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '@certwright/testing';

interface InFull {
  status: string;
  status_reason: string | null;
  order_id: string;
  certificate_id: string;
  dns_records: { purpose: string; value: string }[];
  renewal: {
    window_start: string;
    window_end: string;
    scheduled_at: string;
    manual: boolean;
    failures: number;
    last_error: { code: string } | null;
    forecast: { at: string; is_ready: boolean; needs_value: boolean } | null;
  };
}

/** Values set by hand, a CA with lives of 6 and 90 days, and keys that are kept. */
describe('a certificate whose owner sets a value each time', () => {
  let stack: Stack;
  let id: string;
  const NAME = 'byhand.customer.test';
  beforeAll(async () => {
    stack = await startStack({ queue: 'postgres', proxy: true, env: { ACME_PROFILE: 'shortlived', REUSE_KEYS: 'true' } });
    ({ id } = await stack.verifiedDomain(NAME));
    await stack.order(id);
    await stack.api.settled(id, 30_000);
  }, 90_000);
  afterAll(() => stack.stop());

  const inFull = async (): Promise<InFull> => (await stack.api.call<InFull>('GET', `/domains/${id}`)).body;
  const events = async () => (await stack.api.call<{ data: Record<string, unknown>[] }>('GET', `/domains/${id}/events`)).body.data;
  const leaf = async (): Promise<X509Certificate> => new X509Certificate(await stack.api.chain(id));
  async function until(isTrue: (domain: InFull) => boolean): Promise<InFull> {
    for (const giveUpAt = performance.now() + 40_000; ; await sleep(100)) {
      const domain = await inFull();
      if (isTrue(domain)) return domain;
      if (performance.now() > giveUpAt) throw new Error(`not so: ${JSON.stringify(domain)}`);
    }
  }

  it('is to be renewed at half of a life of 6 days', async () => {
    const { renewal } = await inFull();
    const daysTo = (at: string): number => (Date.parse(at) - Date.now()) / 86_400_000;
    expect(daysTo(renewal.window_end)).toBeGreaterThan(2.9);
    expect(daysTo(renewal.window_end)).toBeLessThan(3.1);
    expect(renewal.scheduled_at >= renewal.window_start && renewal.scheduled_at <= renewal.window_end).toBe(true);
    expect(renewal).toMatchObject({ manual: true, failures: 0, last_error: null });
  });

  it('is asked whether a renewal would succeed today', async () => {
    const look = async (): Promise<void> => void (await stack.query('UPDATE domains SET watch_at = now() WHERE id = $1', [id]));
    await look();
    const { renewal } = await until((domain) => domain.renewal.forecast !== null);
    expect(renewal.forecast).toMatchObject({ is_ready: true, needs_value: true });
    stack.dns.setCaa(NAME, [{ flags: 0, tag: 'issue', value: ';' }]);
    const { at } = renewal.forecast ?? {};
    await look();
    await until((domain) => domain.renewal.forecast?.at !== at); // one bad look is nothing to tell
    expect((await inFull()).renewal.forecast?.is_ready).toBe(true);
    await look();
    await until((domain) => domain.renewal.forecast?.is_ready === false);
    expect((await events()).at(-1)).toMatchObject({ kind: 'forecast', forecast: { is_ready: false, refusal: expect.stringMatching(/CAA/) as string } });
    stack.dns.setCaa(NAME, []);
    await look();
    await until((domain) => domain.renewal.forecast?.is_ready === true);
  }, 90_000);

  it('is ordered when its time comes: the owner is told what to set and until when; with the value there it is replaced, by the same key', async () => {
    const before = await leaf();
    await stack.forgetAuthorizations();
    await stack.query("UPDATE renewals SET issued_at = now() - interval '3 days', renew_at = now(), look_at = now() WHERE domain_id = $1", [id]);
    const waiting = await until(({ dns_records }) => dns_records.some(({ purpose }) => purpose === 'acme-challenge'));
    expect(waiting.status).toBe('active');
    const [{ value } = { value: '' }] = waiting.dns_records;
    const order = (await stack.api.call<{ deadline: string; needed_by: string }>('GET', `/orders/${waiting.order_id}`)).body;
    expect(order.deadline).toBe(order.needed_by); // nobody is hurried: the certificate is good until then
    await stack.query('UPDATE renewals SET look_at = now() WHERE domain_id = $1', [id]);
    await until(() => true);
    for (let tries = 0; tries < 300 && !(await events()).some(({ step }) => step === 'reminder'); tries += 1) await sleep(100);
    expect((await events()).find(({ step }) => step === 'reminder')).toMatchObject({
      kind: 'renewal',
      until: order.needed_by,
      records: [{ fqdn: `_acme-challenge.${NAME}`, values: [value] }],
    });
    const link = new URL((await stack.api.setupLink(id)).body.url);
    expect(await (await fetch(new URL(link.pathname, stack.apiProcess.url))).text()).toContain(value);
    stack.dns.setTxt(`_acme-challenge.${NAME}`, [value]);
    await until(({ certificate_id }) => certificate_id !== waiting.certificate_id);
    const after = await leaf();
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
  }, 90_000);

  it('does not keep a key that the CA has refused', async () => {
    const { certificate_id } = await inFull();
    const before = await leaf();
    const renew = async (): Promise<void> => {
      await stack.forgetAuthorizations();
      const { body } = await stack.api.call<{ expected_txt_value: string }>('POST', `/domains/${id}/renew`);
      stack.dns.setTxt(`_acme-challenge.${NAME}`, [body.expected_txt_value]);
    };
    stack.proxy.fault('finalize', { answer: { status: 400, problem: 'badCSR', detail: 'this key is known to be compromised' } });
    await renew();
    expect((await until(({ renewal }) => renewal.failures === 1)).renewal.last_error).toMatchObject({ code: 'acme_rejected' });
    await renew();
    await until((domain) => domain.certificate_id !== certificate_id);
    expect((await leaf()).publicKey.equals(before.publicKey)).toBe(false);
  }, 90_000);

  it('can be forced: POST /renew answers with the value, and what fails is told without touching the domain', async () => {
    await stack.forgetAuthorizations();
    const { status, body } = await stack.api.call<{ status: string; order_id: string; expected_txt_value: string }>('POST', `/domains/${id}/renew`);
    expect([status, body.status]).toEqual([202, 'active']);
    expect(body.expected_txt_value).toMatch(/^[\w-]{43}$/);
    expect((await stack.api.call('POST', `/domains/${id}/renew`)).body).toMatchObject({ order_id: body.order_id });
    expect((await stack.api.issue(id)).body).toMatchObject({ order_id: body.order_id });
    stack.dns.setTxt(`_acme-challenge.${NAME}`, ['wrong']);
    await stack.query("UPDATE orders SET deadline_at = now() + interval '1 second' WHERE id = $1", [body.order_id]);
    const failed = await until(({ renewal }) => renewal.failures === 1);
    expect(failed).toMatchObject({ status: 'active', status_reason: null, renewal: { last_error: { code: 'dns_deadline_passed' } } });
    const again = await until(({ renewal }) => renewal.scheduled_at !== null);
    expect((Date.parse(again.renewal.scheduled_at) - Date.now()) / 60_000).toBeGreaterThan(40);
  }, 60_000);

  it('is nothing where there is no certificate', async () => {
    const other = await stack.verifiedDomain('none.customer.test');
    const { status, body } = await stack.api.call('POST', `/domains/${other.id}/renew`);
    expect([status, body.code]).toEqual([404, 'certificate_absent']);
  });
});
