import type { Domain } from '../model';
import { registerDomain } from './register-domain';

const TENANT = 'tenant-1';

function storeThatRecords() {
  const created: { tenantId: string; names: string[]; verificationToken: string; auto: boolean }[] = [];
  const enqueued: string[] = [];
  return {
    created,
    enqueued,
    jobs: { enqueue: async (name: string) => enqueued.push(name) > 0 },
    domains: {
      create: async (tenantId: string, input: { names: [string, ...string[]]; verificationToken: string; auto: boolean }): Promise<Domain> => {
        created.push({ tenantId, ...input });
        const now = new Date();
        return {
          id: 'domain-1',
          tenantId,
          ...input,
          name: input.names[0],
          delegationLabel: 'label',
          watchAt: null,
          forecast: null,
          status: 'pending',
          statusReason: null,
          verifiedAt: null,
          createdAt: now,
          updatedAt: now,
        };
      },
    },
  };
}

it('stores the name in the form that DNS has, under the tenant that asked', async () => {
  const { created, domains, jobs } = storeThatRecords();
  const input = { tenantId: TENANT, domainName: 'Shop.MÜNCHEN.de.' };
  await registerDomain({ domains, jobs, allowSpecialUseDomains: false }, input);
  expect(created).toMatchObject([{ tenantId: TENANT, names: ['shop.xn--mnchen-3ya.de'] }]);
});

it('gives every domain a token of its own, 32 random bytes in base64url', async () => {
  const { created, domains, jobs } = storeThatRecords();
  for (let count = 0; count < 20; count += 1) {
    await registerDomain({ domains, jobs, allowSpecialUseDomains: false }, { tenantId: TENANT, domainName: 'example.com' });
  }
  const tokens = created.map(({ verificationToken }) => verificationToken);
  expect(new Set(tokens).size).toBe(20);
  for (const token of tokens) {
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  }
});

it.each([
  ['a name that no CA can issue for', 'shop.customer.test', /set aside for tests/],
])('refuses %s with a sentence that points at the member, and stores nothing', async (_what, domainName, detail) => {
  const { created, domains, jobs } = storeThatRecords();
  await expect(
    registerDomain({ domains, jobs, allowSpecialUseDomains: false }, { tenantId: TENANT, domainName }),
  ).rejects.toMatchObject({
    code: 'invalid_name',
    disposition: 'terminal',
    message: expect.stringMatching(detail),
    errors: [{ pointer: '/domain_name', detail: expect.stringMatching(detail) }],
  });
  expect(created).toEqual([]);
});

it('takes a test name where that is allowed', async () => {
  const { created, domains, jobs } = storeThatRecords();
  const input = { tenantId: TENANT, domainName: 'shop.customer.test' };
  await registerDomain({ domains, jobs, allowSpecialUseDomains: true }, input);
  expect(created).toMatchObject([{ names: ['shop.customer.test'] }]);
});

it('has a domain that is to go on by itself looked at from the start, and no other', async () => {
  const { created, enqueued, domains, jobs } = storeThatRecords();
  const register = (auto: boolean) =>
    registerDomain({ domains, jobs, allowSpecialUseDomains: false }, { tenantId: TENANT, domainName: '*.example.com', names: ['example.com'], auto });
  await register(false);
  expect(enqueued).toEqual([]);
  await register(true);
  expect(enqueued).toEqual(['watch-delegation']);
  expect(created).toMatchObject([{ names: ['*.example.com', 'example.com'], auto: false }, { auto: true }]);
});
