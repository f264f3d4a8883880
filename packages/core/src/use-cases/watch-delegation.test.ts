import type { Diagnosis } from '../diagnosis';
import type { Certificate, Domain, Forecast, Order, Renewal } from '../model';
import { transient } from '../problem';
import { watchDelegation, type WatchDelegationDeps } from './watch-delegation';

const DAY_MS = 86_400_000;
const ready = { code: 'ready', message: 'It is there.', since: new Date(0).toISOString() } as Diagnosis;

const domain = (forecast: Forecast | null): Domain => ({
  id: 'domain-1',
  tenantId: 'tenant-1',
  name: 'shop.example.com',
  names: ['shop.example.com'],
  status: 'active',
  statusReason: null,
  verificationToken: 'the-token',
  verifiedAt: null,
  delegationLabel: 'label',
  auto: false,
  watchAt: null,
  forecast,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

/** One look at a domain with a certificate, while the CA doesn't tell its names in CAA records. */
async function lookWithoutCa(before: Forecast | null, seen: Diagnosis = ready, more: Partial<WatchDelegationDeps> = {}): Promise<{ forecast: Forecast; delayMs: number | null }[]> {
  const noted: { forecast: Forecast; delayMs: number | null }[] = [];
  const deps: Partial<WatchDelegationDeps> = {
    domains: {
      claimWatch: async () => domain(before),
      noteForecast: async (_tenantId, _id, found) => void noted.push(found),
      markVerified: async () => null,
    },
    renewals: { get: async () => ({ manual: false }) as Renewal, adopt: async () => undefined },
    certificates: { latest: async () => null },
    txtLookup: { lookup: async (fqdn) => ({ fqdn, verdict: 'ready', via: [], zone: 'example.com', servers: [], detail: 'It is there.' }) },
    dnsDoctor: { diagnose: async () => seen },
    caaLookup: { forbids: async () => null },
    caaIdentities: [],
    acme: { caaIdentities: () => Promise.reject(transient('acme_unreachable', 'no answer')) } as unknown as WatchDelegationDeps['acme'],
    acmeZone: 'acme.platform.test',
    pollIntervalMs: 10_000,
    ...more,
  };
  await watchDelegation(deps as WatchDelegationDeps, { tenantId: 'tenant-1', domainId: 'domain-1' });
  return noted;
}

describe('watchDelegation while the CA is away', () => {
  it('notes what DNS says, and looks again the day after, not a minute later', async () => {
    const [found] = await lookWithoutCa(null);
    expect(found?.forecast).toMatchObject({ isReady: true, refusal: null });
    expect(found?.delayMs).toBeGreaterThan(0.8 * DAY_MS);
  });

  it('takes what was refused before for refused still', async () => {
    const refused: Forecast = { at: new Date(0).toISOString(), isReady: false, records: [], refusal: 'CAA forbids it.' };
    expect((await lookWithoutCa(refused))[0]?.forecast).toMatchObject({ isReady: false, refusal: 'CAA forbids it.' });
  });
});

describe('watchDelegation that finds wrong what was right', () => {
  const before: Forecast = { at: new Date(0).toISOString(), isReady: true, needsValue: false, records: [], refusal: null };
  const gone = { ...ready, code: 'delegation_missing', actor: 'customer' } as Diagnosis;

  it('looks again in ten minutes, and tells the second time', async () => {
    const [first] = await lookWithoutCa(before, gone);
    expect(first).toMatchObject({ forecast: { isReady: true, isSuspect: true }, delayMs: 600_000 });
    const [second] = await lookWithoutCa(first?.forecast ?? null, gone);
    expect(second?.forecast).toMatchObject({ isReady: false, records: [{ diagnosis: { code: 'delegation_missing' } }] });
  });

  it('tells nobody of what is ours to mend', async () => {
    const ours = { ...gone, code: 'delegation_unserved', actor: 'operator' } as Diagnosis;
    expect((await lookWithoutCa({ ...before, isSuspect: true }, ours))[0]?.forecast).toMatchObject({ isReady: true, isSuspect: true });
  });
});

describe('watchDelegation of a domain whose CAA records name other CAs', () => {
  const forbids = { forbids: async () => ({ ...ready, code: 'caa_forbids_issuer', message: 'CAA forbids it.', actor: 'customer', action: 'Add it.', set: null, waiting: { helps: false } }) as unknown as Diagnosis };
  const lookAfter = async (ignoreCaa: boolean | null) => {
    const orders = { get: async () => ({ ignoreCaa }) as Order, create: () => Promise.reject(new Error('nothing is ordered')) };
    const certificates = { latest: async () => (ignoreCaa === null ? null : ({ id: 'certificate-1', orderId: 'order-1' } as Certificate)) };
    const renewals = { get: async () => ({ manual: false, certificateId: 'certificate-1' }) as Renewal, adopt: async () => undefined };
    return (await lookWithoutCa(null, ready, { caaLookup: forbids, orders, certificates, renewals }))[0]?.forecast;
  };

  it('says that a renewal would be refused', async () => {
    expect(await lookAfter(false)).toMatchObject({ isReady: false, refusal: 'CAA forbids it.' });
    expect(await lookAfter(null)).toMatchObject({ isReady: false, refusal: 'CAA forbids it.' });
  });

  it('does not say so where its certificate was ordered all the same: so is the next', async () => {
    expect(await lookAfter(true)).toMatchObject({ isReady: true, refusal: null });
  });
});
