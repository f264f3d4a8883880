import type { Domain } from '../model';
import { registerDomain } from './register-domain';

const TENANT = 'tenant-1';

function storeThatRecords() {
  const created: { tenantId: string; name: string; verificationToken: string }[] = [];
  return {
    created,
    domains: {
      create: async (tenantId: string, input: { name: string; verificationToken: string }): Promise<Domain> => {
        created.push({ tenantId, ...input });
        const now = new Date();
        return {
          id: 'domain-1',
          tenantId,
          ...input,
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
  const { created, domains } = storeThatRecords();
  const input = { tenantId: TENANT, domainName: 'Shop.MÜNCHEN.de.' };
  await registerDomain({ domains, allowSpecialUseDomains: false }, input);
  expect(created).toMatchObject([{ tenantId: TENANT, name: 'shop.xn--mnchen-3ya.de' }]);
});

it('gives every domain a token of its own, 32 random bytes in base64url', async () => {
  const { created, domains } = storeThatRecords();
  for (let count = 0; count < 20; count += 1) {
    await registerDomain({ domains, allowSpecialUseDomains: false }, { tenantId: TENANT, domainName: 'example.com' });
  }
  const tokens = created.map(({ verificationToken }) => verificationToken);
  expect(new Set(tokens).size).toBe(20);
  for (const token of tokens) {
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  }
});

it.each([
  ['a wildcard', '*.example.com', /^Wildcards cannot be registered yet/],
  ['a name that no CA can issue for', 'shop.customer.test', /set aside for tests/],
])('refuses %s with a sentence that points at the member, and stores nothing', async (_what, domainName, detail) => {
  const { created, domains } = storeThatRecords();
  await expect(
    registerDomain({ domains, allowSpecialUseDomains: false }, { tenantId: TENANT, domainName }),
  ).rejects.toMatchObject({
    code: 'invalid_name',
    disposition: 'terminal',
    message: expect.stringMatching(detail),
    errors: [{ pointer: '/domain_name', detail: expect.stringMatching(detail) }],
  });
  expect(created).toEqual([]);
});

it('takes a test name where that is allowed', async () => {
  const { created, domains } = storeThatRecords();
  const input = { tenantId: TENANT, domainName: 'shop.customer.test' };
  await registerDomain({ domains, allowSpecialUseDomains: true }, input);
  expect(created).toMatchObject([{ name: 'shop.customer.test' }]);
});
