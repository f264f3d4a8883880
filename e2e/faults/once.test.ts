import { faultTest, freshNames, issueAll, orderMany, untilAllValid } from './scenario';

const notFound = { answer: { status: 404, problem: 'malformed', detail: 'no such order' } };

describe('what must happen once only', () => {
  faultTest(40, 'the CA has issued, and for a while does not know the order', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    stack.proxy.fault('finalize', { reset: 'after' });
    stack.proxy.fault('order', { times: 3, ...notFound });
    await orderMany(stack, 1);
    await untilAllValid(stack);
    expect(stack.proxy.count('new-order')).toBe(1);
    expect(stack.proxy.count('finalize')).toBe(1);
  });

  faultTest(41, 'the certificate is refused, and cut off on the way', async ({ stack: start }) => {
    const stack = await start({ proxy: true });
    stack.proxy.fault('certificate', { answer: { status: 403, problem: 'unauthorized', detail: 'not yours' } });
    stack.proxy.fault('certificate', { truncate: true });
    await orderMany(stack, 1);
    await untilAllValid(stack);
    expect(stack.proxy.count('new-order')).toBe(1);
  });

  faultTest(42, 'the challenge is refused once, and its authorization unreadable at first', async ({ stack: start, customer }) => {
    const stack = await start({ proxy: true, customer: false });
    stack.proxy.fault('authorization', { times: 3, answer: { status: 500, problem: 'serverInternal' } });
    stack.proxy.fault('challenge', { answer: { status: 400, problem: 'malformed', detail: 'try again' } });
    await issueAll(stack, await stack.seedDomains(freshNames(1)));
    customer(stack);
    await untilAllValid(stack);
    expect(stack.proxy.count('new-order')).toBe(1);
  });
});
