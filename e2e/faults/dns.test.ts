import { setTimeout as sleep } from 'node:timers/promises';
import { faultTest, orderMany, orderOf, until, untilAllValid, type OrderSeen } from './scenario';

describe('DNS', () => {
  faultTest(26, 'SERVFAIL, silence and REFUSED are told apart', async ({ stack: start, injected, customer }) => {
    const stack = await start({ customer: false, env: { DNS_TIMEOUT: '2s' } });
    const [id = ''] = await orderMany(stack, 1);
    const stateSeen = async (): Promise<string | undefined> => {
      const { authorizations }: OrderSeen = await orderOf(stack, id);
      return authorizations[0]?.evidence?.servers[0]?.state;
    };
    await until(async () => (await stateSeen()) !== undefined);
    const seen = new Set([await stateSeen()]);
    for (const how of ['servfail', 'silent', 'refused', 'lame'] as const) {
      const before = await stateSeen();
      stack.dns.misbehave('127.0.0.1', how);
      injected();
      await until(async () => (await stateSeen()) !== before, 20_000);
      seen.add(await stateSeen());
    }
    expect(seen.size).toBe(5);
    stack.dns.misbehave('127.0.0.1', null);
    customer(stack);
    await untilAllValid(stack);
  });

  faultTest(27, 'the value appears 1 s before the deadline', async ({ stack: start, customer }) => {
    const stack = await start({ customer: false, env: { POLL_TIMEOUT: '8s' } });
    const [id = ''] = await orderMany(stack, 1);
    await until(async () => (await orderOf(stack, id)).status === 'awaiting_dns');
    await sleep(6_500);
    customer(stack);
    await untilAllValid(stack);
  });

  faultTest(28, 'wrong, several and split values, a CNAME loop', async ({ stack: start, injected }) => {
    const stack = await start({ customer: false });
    const [id = ''] = await orderMany(stack, 1);
    await until(async () => (await orderOf(stack, id)).authorizations.length === 1);
    const [{ txt_name: name = '', txt_value: value = '' } = {}] = (await orderOf(stack, id)).authorizations;
    const verdict = async (): Promise<string | undefined> => (await orderOf(stack, id)).authorizations[0]?.evidence?.verdict;
    const detail = async (): Promise<string> => (await orderOf(stack, id)).reason?.detail ?? '';
    stack.dns.setTxt(name, ['wrong']);
    injected();
    await until(async () => (await detail()).includes('wrong') || (await verdict()) === 'absent');
    stack.dns.removeTxt(name);
    stack.dns.setCname(name, 'loop.customer.test');
    stack.dns.setCname('loop.customer.test', name);
    injected();
    await until(async () => (await verdict()) === 'cname_loop');
    expect((await orderOf(stack, id)).status).toBe('awaiting_dns');
    stack.dns.setCname(name, 'elsewhere.customer.test');
    stack.dns.setTxt('elsewhere.customer.test', ['another', value, 'x'.repeat(300)]);
    await untilAllValid(stack);
  });
});
