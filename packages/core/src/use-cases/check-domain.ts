import type { Diagnosis } from '../diagnosis';
import { WATCHED_MS } from '../dns-schedule';
import { challengeName, ownershipName } from '../domain';
import type { Domain, Order } from '../model';
import { isLive, jobFor } from '../order';
import { ownedBases } from '../domain-names';
import type { CachedTxt, DnsDoctor, DomainStore, JobQueue, OrderStore } from '../ports';
import type { TxtEvidence } from '../txt-evidence';
import { type DelegationDeps, lookAtDelegation } from './look-at-delegation';

export interface CheckDomainDeps extends DelegationDeps {
  domains: Pick<DomainStore, 'watchNow'>;
  orders: Pick<OrderStore, 'latest' | 'watch'>;
  jobs: JobQueue;
  dnsDoctor: DnsDoctor;
}

/** One name that the customer is to set a record at. */
export interface CheckedRecord {
  purpose: 'delegation' | 'ownership' | 'acme-challenge';
  fqdn: string;
  /** The TXT values; of a delegation the alias's target. */
  expected: string[];
  evidence: TxtEvidence;
  diagnosis: Diagnosis;
  cached: CachedTxt | null;
}

/**
 * Looks at DNS now, whatever was seen before, and brings the next looks of the live order and at the delegation forward. Writes nothing of what
 * it saw: their workers do. Empty where nothing has to be set.
 */
export async function checkDomain(deps: CheckDomainDeps, domain: Domain): Promise<CheckedRecord[]> {
  await watchDomain(deps, domain);
  await lookAgain(deps, domain);
  const order = await deps.orders.latest(domain.tenantId, domain.id);
  const [delegations, records] = await Promise.all([
    lookAtDelegation(deps, domain),
    Promise.all(awaited(domain, order).map((record) => look(deps, record))),
  ]);
  const inPlace = delegations.filter(({ evidence, target }) => evidence.via.includes(target));
  // As `verifyDomain` does: an alias that is there everywhere is as good as the token.
  const proved = inPlace.filter(({ evidence }) => evidence.verdict === 'ready').map(({ fqdn }) => ownershipName(fqdn.slice(fqdn.indexOf('.') + 1)));
  const needless = [...proved, ...inPlace.map(({ fqdn }) => fqdn)];
  return [
    ...delegations.map(({ target, ...seen }) => ({ purpose: 'delegation' as const, expected: [target], cached: null, ...seen })),
    ...records.filter(({ fqdn }) => !needless.includes(fqdn)),
  ];
}

/** However often somebody asks, the delegation of a domain with a certificate is looked at so seldom, in milliseconds. */
const LOOK_AGAIN_MS = 60_000;

/** What is said of the domain's delegation from now on is to be as new as what was just seen. */
export async function lookAgain({ domains, jobs }: Pick<CheckDomainDeps, 'domains' | 'jobs'>, { tenantId, id, status }: Domain): Promise<void> {
  if (status !== 'active' || !(await domains.watchNow(tenantId, id, LOOK_AGAIN_MS))) return;
  await jobs.enqueue('watch-delegation', { tenantId, domainId: id }, { hurry: true });
}

/** Somebody is waiting: the order's next look comes at once, and further ones soon after each other. */
export async function watchDomain({ orders, jobs }: Pick<CheckDomainDeps, 'orders' | 'jobs'>, { tenantId, id, auto, status }: Domain): Promise<void> {
  if (auto && status === 'pending') await jobs.enqueue('watch-delegation', { tenantId, domainId: id }, { hurry: true });
  const live = await orders.watch(tenantId, id, WATCHED_MS);
  // One that is watched already is looked at every second: nobody can make it more.
  if (live?.status === 'awaiting_dns' && !live.wasWatched) await jobs.enqueue(jobFor(live.status), { tenantId, orderId: live.id }, { hurry: true });
}

type Awaited = Pick<CheckedRecord, 'purpose' | 'fqdn' | 'expected'> & { identifier: string };

function awaited(domain: Domain, order: Order | null): Awaited[] {
  if (domain.status === 'pending') {
    const expected = [domain.verificationToken];
    return ownedBases(domain.names).map((base) => ({ purpose: 'ownership', identifier: base, fqdn: ownershipName(base), expected }));
  }
  if (!order || !isLive(order.status)) return [];
  const open = order.authorizations.filter(({ status }) => status === 'pending');
  return [...new Set(open.map(({ txtName }) => txtName))].map((fqdn) => {
    const mine = open.filter(({ txtName }) => txtName === fqdn);
    return { purpose: 'acme-challenge', identifier: mine[0]?.identifier ?? domain.name, fqdn, expected: mine.map(({ txtValue }) => txtValue) };
  });
}

async function look({ txtLookup, dnsDoctor }: CheckDomainDeps, { purpose, identifier, fqdn: name, expected }: Awaited): Promise<CheckedRecord> {
  const names = purpose === 'ownership' ? [name, challengeName(identifier)] : [name];
  const [own, older] = await Promise.all(names.map((one) => txtLookup.lookup(one, expected)));
  // As `verifyDomain` does: the token counts at the older name, too.
  const evidence = own?.verdict !== 'ready' && older?.verdict === 'ready' ? older : own;
  if (!evidence) throw new TypeError('nothing was looked up');
  const { fqdn } = evidence;
  const cached = await dnsDoctor.cached(fqdn);
  const diagnosis = await dnsDoctor.diagnose({ identifier, fqdn, expected, evidence });
  return { purpose, fqdn, expected, evidence, diagnosis, cached };
}
