import type { Diagnosis } from '../diagnosis';
import type { DomainStatus } from '../domain';
import type { Domain } from '../model';
import type { TxtEvidence, TxtVerdict } from '../txt-evidence';
import { verifyDomain } from './verify-domain';

const TENANT = 'tenant-1';
const OWN = '_certwright-challenge.shop.example.com';
const OLDER = '_acme-challenge.shop.example.com';

const domain = (status: DomainStatus): Domain => ({
  id: 'domain-1',
  tenantId: TENANT,
  name: 'shop.example.com',
  names: ['shop.example.com'],
  status,
  statusReason: null,
  verificationToken: 'the-token',
  verifiedAt: null,
  delegationLabel: 'label',
  auto: false,
  watchAt: null,
  forecast: null,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

const evidence = (fqdn: string, verdict: TxtVerdict): TxtEvidence => ({
  fqdn,
  verdict,
  via: [],
  zone: 'example.com',
  servers: [],
  detail: `What the servers say about ${fqdn}: ${verdict}.`,
});

/** A domain in `status`, and a DNS in which each name has the verdict given. */
function world(status: DomainStatus | null, verdicts: { own: TxtVerdict; older: TxtVerdict }, stillPending = true) {
  const asked: { fqdn: string; expected: string[] }[] = [];
  const marked: string[] = [];
  return {
    asked,
    marked,
    verify: () =>
      verifyDomain(
        {
          domains: {
            get: async (tenantId, id) => (status && tenantId === TENANT && id === 'domain-1' ? domain(status) : null),
            markVerified: async (_tenantId, id) => {
              marked.push(id);
              return stillPending ? { ...domain('verified'), verifiedAt: new Date(1) } : null;
            },
          },
          acmeZone: null,
          dnsDoctor: { diagnose: async ({ evidence: { detail } }) => ({ message: detail, action: 'Set it.' }) as Diagnosis },
          txtLookup: {
            lookup: async (fqdn, expected) => {
              asked.push({ fqdn, expected });
              return evidence(fqdn, fqdn === OWN ? verdicts.own : verdicts.older);
            },
          },
        },
        { tenantId: TENANT, domainId: 'domain-1' },
      ),
  };
}

it.each<[TxtVerdict, TxtVerdict]>([
  ['ready', 'absent'],
  ['ready', 'no_answer'],
  ['absent', 'ready'],
  ['no_zone', 'ready'],
  ['ready', 'ready'],
])('verifies where the token is at one of the two names (own %s, older %s)', async (own, older) => {
  const { verify, asked, marked } = world('pending', { own, older });
  expect((await verify()).status).toBe('verified');
  expect(marked).toEqual(['domain-1']);
  expect(asked).toEqual([
    { fqdn: OWN, expected: ['the-token'] },
    { fqdn: OLDER, expected: ['the-token'] },
  ]);
});

it('asks for both names at once, not one after the other', async () => {
  let waiting = 0;
  let most = 0;
  await verifyDomain(
    {
      domains: { get: async () => domain('pending'), markVerified: async () => domain('verified') },
      acmeZone: null,
      dnsDoctor: { diagnose: () => Promise.reject(new Error('nothing is wrong')) },
      txtLookup: {
        lookup: async (fqdn) => {
          waiting += 1;
          most = Math.max(most, waiting);
          await new Promise((resolve) => setImmediate(resolve));
          waiting -= 1;
          return evidence(fqdn, 'ready');
        },
      },
    },
    { tenantId: TENANT, domainId: 'domain-1' },
  );
  expect(most).toBe(2);
});

it.each<[TxtVerdict, TxtVerdict, string, string]>([
  ['no_answer', 'no_answer', 'dns_lookup_failed', OWN],
  ['no_zone', 'no_answer', 'dns_lookup_failed', OWN],
  ['no_zone', 'no_zone', 'dns_lookup_failed', OWN],
  ['absent', 'absent', 'ownership_record_absent', OWN],
  ['partial', 'absent', 'ownership_record_absent', OWN],
  ['partial', 'partial', 'ownership_record_absent', OWN],
  ['absent', 'partial', 'ownership_record_absent', OLDER],
  ['cname_loop', 'absent', 'ownership_record_absent', OWN],
  ['absent', 'no_answer', 'ownership_record_absent', OWN],
])('with %s and %s it says %s and what the servers said, and verifies nothing', async (own, older, code, about) => {
  const { verify, marked } = world('pending', { own, older });
  await expect(verify()).rejects.toMatchObject({
    code,
    disposition: 'terminal',
    message: expect.stringContaining(about),
  });
  expect(marked).toEqual([]);
});

it.each<DomainStatus>(['verified', 'certificate_pending', 'active', 'failed'])(
  'does not look at DNS for a domain that is %s',
  async (status) => {
    const { verify, asked } = world(status, { own: 'ready', older: 'ready' });
    await expect(verify()).rejects.toMatchObject({ code: 'domain_not_pending', disposition: 'terminal' });
    expect(asked).toEqual([]);
  },
);

it('says so when somebody else verified the domain meanwhile', async () => {
  const { verify } = world('pending', { own: 'ready', older: 'absent' }, false);
  await expect(verify()).rejects.toMatchObject({ code: 'domain_not_pending' });
});

it('knows no domain of another tenant', async () => {
  const { verify } = world(null, { own: 'ready', older: 'ready' });
  await expect(verify()).rejects.toMatchObject({ code: 'not_found' });
});

it('keeps that it was the delegation: no value has to be set there', async () => {
  const marked: unknown[] = [];
  const through = ['label.acme.platform.test'];
  await verifyDomain(
    {
      domains: {
        get: async () => domain('pending'),
        markVerified: async (...args) => {
          marked.push(args);
          return domain('verified');
        },
      },
      acmeZone: 'acme.platform.test',
      dnsDoctor: { diagnose: async () => ({ code: 'ready' }) as Diagnosis },
      txtLookup: {
        lookup: async (fqdn, expected) => ({ ...evidence(fqdn, expected[0]?.startsWith('certwright-delegation=') ? 'ready' : 'absent'), via: fqdn === OLDER ? through : [] }),
      },
    },
    { tenantId: TENANT, domainId: 'domain-1' },
  );
  const seen = { at: expect.any(String), isReady: true, needsValue: false, records: [{ fqdn: OLDER, diagnosis: { code: 'ready' } }], refusal: null };
  expect(marked).toEqual([[TENANT, 'domain-1', ['shop.example.com'], seen]]);
});
