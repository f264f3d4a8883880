import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, startStack } from '@certwright/testing';

interface Record {
  fqdn: string;
  host: string;
  value: string;
  state: string | null;
  message: string | null;
  remove: { fqdn: string }[];
}
interface Body {
  id: string;
  status: string;
  version: string;
  code: string;
  url: string;
  detail: string;
  dns_records: Record[];
  data: { id: string; kind: string; status?: string; code?: string }[];
}

describe('what is told about DNS', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', env: { POLL_INTERVAL: '60s', POLL_TIMEOUT: '1h', ACME_CAA_IDENTITIES: 'ca.platform.test' } });
  }, 90_000);
  afterAll(() => stack.stop());

  const get = (path: string) => stack.api.call<Body>('GET', path);
  const post = (path: string, body?: object) => stack.api.call<Body>('POST', path, { body });
  const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
    for (const giveUpAt = performance.now() + 20_000; !(await isTrue()); await sleep(100)) {
      if (performance.now() > giveUpAt) throw new Error(`not so in time: ${isTrue.toString()}`);
    }
  };
  async function issuing(name: string) {
    const { id } = await stack.verifiedDomain(name);
    const { body } = await stack.api.issue(id);
    return { id, fqdn: body.challenge_domain, value: body.expected_txt_value ?? '' };
  }

  it('check says what is wrong and what to paste; once that is done the order goes on by itself', async () => {
    const { id, fqdn, value } = await issuing('doubled.customer.test');
    stack.dns.setTxt(`${fqdn}.customer.test`, [value]);
    const { status, body } = await post(`/domains/${id}/check`);
    expect(status).toBe(200);
    expect(body.dns_records).toEqual([
      expect.objectContaining({ state: 'name_doubled', fqdn, host: '_acme-challenge.doubled', value, remove: [expect.objectContaining({ fqdn: `${fqdn}.customer.test` })] }),
    ]);
    await until(async () => (await get(`/domains/${id}`)).body.dns_records[0]?.state === 'name_doubled');
    stack.dns.setTxt(fqdn, [value]);
    await until(async () => (await get(`/domains/${id}`)).body.status === 'active');
    const { data } = (await get(`/domains/${id}/events`)).body;
    expect(data.filter(({ kind }) => kind === 'dns').map(({ code }) => code)).toEqual(expect.arrayContaining(['name_doubled', 'ready']));
    expect(data.map(({ kind, status: to }) => (kind === 'order' ? to : kind))).toEqual(expect.arrayContaining(['registered', 'verified', 'new', 'awaiting_dns', 'valid']));
    expect(data.filter(({ kind }) => kind === 'dns').length).toBeLessThanOrEqual(3); // changes, not looks
  }, 60_000);

  it('a long poll answers as soon as something has changed', async () => {
    const { id, fqdn } = await issuing('waiting.customer.test');
    await until(async () => (await get(`/domains/${id}`)).body.dns_records[0]?.state === 'record_missing');
    const { version } = (await get(`/domains/${id}`)).body;
    const startedAt = performance.now();
    const waiting = get(`/domains/${id}?wait=30&since=${version}`);
    stack.dns.setTxt(fqdn, ['something else']);
    const { body } = await waiting;
    expect(body.dns_records[0]?.state).toBe('other_value');
    expect(BigInt(body.version)).toBeGreaterThan(BigInt(version));
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect((await get(`/domains/${id}?wait=61`)).status).toBe(400);
  }, 60_000);

  it('a stream tells each change as it happens, and goes on from Last-Event-ID', async () => {
    const { id, fqdn, value } = await issuing('stream.customer.test');
    const stream = async (headers: { [name: string]: string }, isEnough: (text: string) => boolean): Promise<string> => {
      const stop = new AbortController();
      const reply = await fetch(`${stack.apiProcess.url}/domains/${id}/events`, {
        headers: { authorization: `Bearer ${stack.secrets.authToken}`, accept: 'text/event-stream', ...headers },
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
      });
      expect(reply.headers.get('content-type')).toBe('text/event-stream');
      let text = '';
      for await (const chunk of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        if (isEnough(text)) break;
      }
      stop.abort();
      return text;
    };
    const following = stream({}, (text) => text.includes('"status":"valid"'));
    await sleep(500);
    stack.dns.setTxt(fqdn, [value]);
    const told = await following;
    expect(told).toMatch(/^id: \d+\nevent: registered\ndata: \{/);
    const [, last = ''] = /id: (\d+)\n(?!.*id: )/s.exec(told) ?? [];
    const ids = [...told.matchAll(/^id: (\d+)$/gm)].map(([, one]) => one ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    const again = await stream({ 'last-event-id': ids[1] ?? last }, (text) => text.includes('"status":"valid"'));
    expect([...again.matchAll(/^id: (\d+)$/gm)].map(([, one]) => one)).toEqual(ids.slice(2));
  }, 60_000);

  it('a stream and a long poll do not hold up an API that is stopped', async () => {
    const { id } = await issuing('stopping.customer.test');
    const headers = { authorization: `Bearer ${stack.secrets.authToken}`, accept: 'text/event-stream' };
    const reply = await fetch(`${stack.apiProcess.url}/domains/${id}/events`, { headers });
    const told = reply.text();
    const { version } = (await get(`/domains/${id}`)).body;
    const waiting = get(`/domains/${id}?wait=60&since=${BigInt(version) + 1_000n}`);
    await sleep(500);
    const startedAt = performance.now();
    expect(await stack.apiProcess.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await told).toContain('"status":"awaiting_dns"');
    expect((await waiting).status).toBe(200);
    await stack.startApi();
  }, 60_000);

  it('what CAA records forbid is refused before anything is ordered, unless that is wanted', async () => {
    const { id } = await stack.verifiedDomain('caa.customer.test');
    stack.dns.setCaa('caa.customer.test', [{ flags: 0, tag: 'issue', value: 'another.example' }]);
    const refused = await stack.api.call<Body>('POST', `/domains/${id}/issue-certificate`);
    expect([refused.status, refused.body.code]).toEqual([409, 'caa_forbids_issuer']);
    expect(refused.body.detail).toContain('caa.customer.test CAA 0 issue "ca.platform.test"');
    expect((await stack.query("SELECT 1 FROM orders WHERE names = '{caa.customer.test}' AND acme_url IS NOT NULL")).length).toBe(0);
    expect((await post(`/domains/${id}/issue-certificate`, { ignore_caa: true })).status).toBe(202);
  }, 60_000);

  it('the setup page shows the owner what to set, and is nobody else’s', async () => {
    const { id, fqdn, value } = await issuing('owner.customer.test');
    const link = await post(`/domains/${id}/setup-link`, { expires_in_hours: 1 });
    expect(link.status).toBe(201);
    const page = async (url = link.body.url) => {
      const reply = await fetch(url);
      return { status: reply.status, csp: reply.headers.get('content-security-policy'), text: await reply.text() };
    };
    const shown = await page();
    expect(shown.status).toBe(200);
    expect(shown.csp).toContain("default-src 'none'");
    for (const one of [value, '_acme-challenge.owner']) expect(shown.text).toContain(one);
    stack.dns.setTxt(fqdn, [value]);
    await until(async () => (await page()).text.includes('Done'));
    const other = link.body.url.endsWith('A') ? 'B' : 'A';
    expect((await page(`${link.body.url.slice(0, -1)}${other}`)).status).toBe(404);
  }, 60_000);
});
