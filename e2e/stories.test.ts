import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiReply, type Stack, startStack } from '@certwright/testing';

interface Told {
  status: string;
  names: string[];
  reason: { code: string } | null;
  next_check_at: string | null;
}

const DOC = readFileSync(path.resolve(__dirname, '../docs/order-stories.md'), 'utf8');
const WITHIN_MS = 20_000;

/** docs/order-stories.md: what `GET /orders/{id}` says, to the letter, to somebody who knows nothing else. */
describe('a failed or waiting order tells its story', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ queue: 'redis', proxy: true, env: { POLL_INTERVAL: '1s', POLL_TIMEOUT: '4s', ISSUE_WAIT: '2s' } });
  }, 60_000);
  afterEach(async () => {
    stack.proxy.heal();
    await stack.query('UPDATE accounts SET paused_until = NULL, orders_paused_until = NULL');
  });
  afterAll(() => stack.stop());

  /** Asks for a certificate. With `isSet` the customer does what is asked of them. */
  async function order(label: string, { isSet = true } = {}): Promise<string> {
    const { id } = await stack.verifiedDomain(`${label}.customer.test`);
    const { status, body } = await stack.api.issue(id);
    if (isSet && status === 202) await stack.setRecords(body.order_id);
    return body.order_id;
  }

  async function untilTold(id: string, code: string): Promise<Told> {
    const giveUpAt = performance.now() + WITHIN_MS;
    for (;;) {
      const { body }: ApiReply<Told> = await stack.api.call<Told>('GET', `/orders/${id}`);
      if (body.reason?.code === code || performance.now() > giveUpAt) return body;
      await sleep(200);
    }
  }

  /** As the document has it, but for the times. */
  async function expectStory(id: string, code: string): Promise<void> {
    const { names, status, reason, next_check_at } = await untilTold(id, code);
    const told = JSON.stringify({ names, status, reason, next_check_at }, null, 2).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
    const stories = [...DOC.matchAll(/```json\n([^`]*)\n```/g)].map(([, story]) => story);
    expect(told).toBe(stories.find((story) => story?.includes(`"${code}"`)));
  }

  it('when the customer never set the record', async () => {
    await expectStory(await order('forgotten', { isSet: false }), 'dns_deadline_passed');
  });

  it('when the CA refuses the key', async () => {
    stack.proxy.fault('finalize', { answer: { status: 400, problem: 'badCSR', detail: 'this key is known to be compromised' } });
    await expectStory(await order('refused'), 'acme_rejected');
  });

  it('when the CA has seen another value than we have', async () => {
    stack.proxy.fault('authorization', {
      after: 1,
      rewrite: (body) => ({ ...body, status: 'invalid', challenges: [challengeFailed] }),
    });
    await expectStory(await order('seen'), 'acme_challenge_failed');
  });

  it('when the CA limits the rate of a name', async () => {
    const detail = 'too many certificates already issued for limited.customer.test';
    stack.proxy.fault('new-order', { times: 1_000, answer: { status: 429, problem: 'rateLimited', detail, retryAfter: '3600' } });
    await expectStory(await order('limited'), 'acme_rate_limited');
  });

  it('when the CA has new terms, which holds up all', async () => {
    stack.proxy.fault('new-order', { times: 1_000, answer: { status: 403, problem: 'userActionRequired', detail: 'the terms of service have changed' } });
    await expectStory(await order('terms'), 'acme_account_refused');
  });

  // Last: it is tried again soon, and would meet what the next test has made ready.
  it('when the CA fails', async () => {
    stack.proxy.fault('new-order', { times: 1_000, answer: { status: 500, problem: 'serverInternal', detail: 'maintenance' } });
    await expectStory(await order('trouble'), 'acme_server_error');
  });
});

const challengeFailed = {
  type: 'dns-01',
  url: 'https://ca.test/challenge',
  status: 'invalid',
  token: 'token',
  error: { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'Incorrect TXT record "old" found', status: 403 },
};
