import type { Diagnosis } from '../diagnosis';
import type { Domain, Renewal } from '../model';
import { renewDomain, type RenewDomainDeps } from './renew-domain';

const domain = { id: 'domain-1', tenantId: 'tenant-1', name: 'shop.example.com', names: ['shop.example.com'], delegationLabel: 'label' } as Domain;
const renewal = (manual: boolean) =>
  ({ domainId: 'domain-1', certificateId: 'certificate-1', notBefore: new Date(0), notAfter: new Date(4e12), window: { start: new Date(3e12), end: new Date(3e12) }, directoryUrl: 'https://ca.test/dir', certId: null, manual }) as unknown as Renewal;

/** A renewal that is asked for, as far as to the order's row. */
async function renew(code: Diagnosis['code'], { manual }: { manual: boolean }): Promise<{ ordered: number; problem: unknown }> {
  let ordered = 0;
  const deps: Partial<RenewDomainDeps> = {
    renewals: { get: async () => renewal(manual) },
    directoryUrl: 'https://ca.test/dir',
    acmeZone: 'acme.platform.example',
    txtLookup: { lookup: async (fqdn) => ({ fqdn, verdict: 'absent', via: [], zone: 'example.com', servers: [], detail: 'No alias.' }) },
    domains: { watchNow: async () => false },
    dnsDoctor: { diagnose: async () => ({ code, message: 'There is no alias.', action: 'Set the CNAME record shown here.' }) as Diagnosis },
    orders: {
      create: async () => {
        ordered += 1;
        throw new Error('as far as here');
      },
    } as unknown as RenewDomainDeps['orders'],
  };
  const problem: unknown = await renewDomain(deps as RenewDomainDeps, domain, 'request-1').catch((error: unknown) => error);
  return { ordered, problem };
}

it('orders nothing where the delegation that it relies on is broken, and says what to set', async () => {
  const { ordered, problem } = await renew('delegation_missing', { manual: false });
  expect(ordered).toBe(0);
  expect(problem).toMatchObject({ code: 'dns_not_ready', message: expect.stringMatching(/^There is no alias. Set the CNAME record shown here. Or, .*issue-certificate.$/) });
});

it('orders where the delegation is in place, and where somebody sets values by hand', async () => {
  expect((await renew('ready', { manual: false })).ordered).toBe(1);
  expect((await renew('delegation_missing', { manual: true })).ordered).toBe(1);
});
