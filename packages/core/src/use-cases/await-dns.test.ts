import type { Diagnosis } from '../diagnosis';
import { Problem } from '../problem';
import type { Authorization, Order } from '../model';
import type { Lease } from '../ports';
import type { TxtVerdict } from '../txt-evidence';
import { awaitDns, type AwaitDnsDeps } from './await-dns';

const A = '_acme-challenge.a.example';
const B = '_acme-challenge.b.example';
const OURS = 'label.acme.platform.test';

/** An order for two names that are aliases of ours, younger than a value takes to get to our own name servers. */
function twoNames(): { look: (verdicts: Record<string, TxtVerdict>) => Promise<string | undefined>; codes: () => (string | undefined)[] } {
  const authorization = (id: string, txtName: string) => ({ id, identifier: txtName.slice(16), txtName, txtValue: id, status: 'pending', evidence: null, diagnosis: null }) as unknown as Authorization;
  const order = {
    id: 'order-1',
    tenantId: 'tenant-1',
    domainId: 'domain-1',
    status: 'awaiting_dns',
    statusSince: new Date(),
    deadlineAt: new Date(Date.now() + 600_000),
    reason: null,
    watchedUntil: null,
    caExpiresAt: null,
    neededBy: null,
    authorizations: [authorization('1', A), authorization('2', B)],
  } as unknown as Order;

  async function look(verdicts: Record<string, TxtVerdict>): Promise<string | undefined> {
    let movedTo: string | undefined;
    const lease = {
      order,
      isHeld: true,
      tookOver: false,
      now: () => new Date(),
      // As the store does: what is not told stays.
      note: (notes: Partial<Authorization>[]) => {
        order.authorizations = order.authorizations.map((one) => Object.assign({}, one, ...notes.filter(({ id }) => id === one.id)) as Authorization);
      },
    } as unknown as Lease;
    const deps = {
      orders: {
        claim: async () => ({ kind: 'claimed', lease }),
        advance: async (_lease: Lease, to: string) => {
          movedTo = to;
          throw new Error('far enough');
        },
        release: async () => undefined,
        handBack: async () => undefined,
        fail: async () => undefined,
      },
      telemetry: { dnsChecked: () => undefined, problem: () => undefined, leaseLost: () => undefined, phaseEnded: () => undefined },
      domains: { get: async () => ({ delegationLabel: 'label' }) },
      txtLookup: { lookup: async (fqdn: string) => ({ fqdn, verdict: verdicts[fqdn], via: [OURS], zone: 'acme.platform.test', servers: [], detail: '' }) },
      dnsDoctor: {
        diagnose: async ({ evidence }: { evidence: { verdict: TxtVerdict } }) =>
          ({ code: evidence.verdict === 'ready' ? 'ready' : 'delegation_unserved', at: new Date().toISOString(), since: new Date().toISOString(), message: '' }) as Diagnosis,
      },
      timeouts: { dnsMs: 600_000, phaseMs: 600_000 },
      leaseMs: 30_000,
      pollIntervalMs: 1_000,
      acmeZone: 'acme.platform.test',
    } as unknown as AwaitDnsDeps;
    await awaitDns(deps, { tenantId: 'tenant-1', orderId: 'order-1' }).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error;
    });
    return movedTo;
  }
  return { look, codes: () => order.authorizations.map(({ diagnosis }) => diagnosis?.code) };
}

describe('awaitDns, several names', () => {
  it('moves on once both are at every server', async () => {
    const { look } = twoNames();
    expect(await look({ [A]: 'ready', [B]: 'absent' })).toBeUndefined();
    expect(await look({ [A]: 'ready', [B]: 'ready' })).toBe('validating');
  });

  it('does not take for ready what was so before the other was, and is not any more', async () => {
    const { look, codes } = twoNames();
    await look({ [A]: 'ready', [B]: 'absent' });
    await look({ [A]: 'partial', [B]: 'absent' });
    expect(await look({ [A]: 'partial', [B]: 'ready' })).toBeUndefined();
    expect(codes()[1]).toBe('ready');
  });
});
