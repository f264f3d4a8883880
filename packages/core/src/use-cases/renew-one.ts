import { delegationTarget } from '../delegation';
import type { Authorization, Order, OrderReason, Renewal } from '../model';
import { isLive } from '../order';
import type { AcmeGateway, CertificateStore, DomainStore, NewOrder, OrderStore, RenewalStore } from '../ports';
import { Problem } from '../problem';
import { ALL_TOLD, leastAgeMs, neededBy, nextReminder, remindersDue, retryRenewalMs, URGENT_MS } from '../renewal';
import { askCa, type Change, type RenewalPass } from './ask-renewal-info';
import { requestOrder, type RequestOrderDeps } from './create-order';
import { type DelegationDeps, whyNotDelegated } from './look-at-delegation';

export interface RenewOneDeps extends RequestOrderDeps, DelegationDeps {
  renewals: Pick<RenewalStore, 'note'>;
  domains: Pick<DomainStore, 'get'>;
  orders: Pick<OrderStore, 'create' | 'latest'>;
  certificates: Pick<CertificateStore, 'get'>;
  acme: Pick<AcmeGateway, 'certId' | 'renewalInfo' | 'directoryUrl'>;
}

/**
 * While an order is under way, how soon to see whether its owner has to be told another value, in milliseconds. Where nobody has to be told
 * anything there is nothing to see: the order's end brings the renewal up by itself.
 */
const UNDER_WAY_MS = 3_600_000;

/** An order that was only just asked for has its value by then, in milliseconds. */
const JUST_ASKED_MS = 60_000;

/** When the line is looked at again, in milliseconds, off by up to a half: while the CA is away all that become due look at it. */
const LINE_MS = 2_400_000;

const inMs = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

/**
 * Does what there is to be done about one renewal, and settles when to look again: asks the CA for its window, chooses a moment in it,
 * and asks for a certificate when that has come. A renewal's trouble never touches the domain's status.
 * @throws what was unexpected, once it has been noted as a failure: a bug must not be tried again at every pass
 */
export async function renewOne(deps: RenewOneDeps, renewal: Renewal, pass: RenewalPass): Promise<void> {
  const { now } = pass;
  try {
    const asked = await askCa(deps, renewal, pass);
    const known = { ...renewal, ...asked };
    const renewAt = known.renewAt ?? inMs(now, retryRenewalMs({ failures: Math.max(1, known.failures), leftMs: leftMs(known, now) }));
    const notBefore = inMs(known.issuedAt, leastAgeMs(known));
    const isTime = renewAt <= now && notBefore <= now;
    const change: Change = isTime ? await renew(deps, known, pass) : { lookAt: renewAt < notBefore ? notBefore : renewAt };
    const lookAt = earliest(change.lookAt ?? renewAt, known.askAt);
    const ended = expiry(renewal, now);
    const news = [asked, change, ended].flatMap((one) => one.news ?? []);
    await deps.renewals.note(renewal, { renewAt, ...asked, ...change, ...ended, lookAt, news });
  } catch (error) {
    if (error instanceof Problem) throw error;
    const { news, lookAt = now, ...failed } = fail(renewal, { code: 'internal_error', detail: 'An unexpected error happened; the log has the details.' }, now);
    await deps.renewals.note(renewal, { ...failed, ...expiry(renewal, now), lookAt, news: news ? [news] : [] });
    throw error;
  }
}

const earliest = (one: Date, other: Date | null): Date => (other !== null && other < one ? other : one);

const leftMs = (renewal: Renewal, now: Date): number => neededBy(renewal, now).getTime() - now.getTime();

async function renew(deps: RenewOneDeps, renewal: Renewal, { now, isLineFull }: RenewalPass): Promise<Change> {
  const { tenantId, domainId, manual } = renewal;
  const hasTime = leftMs(renewal, now) > URGENT_MS;
  const inLine = (): Change => ({ lookAt: inMs(now, LINE_MS * (0.5 + Math.random())) });
  if (isLineFull && hasTime && !manual) return inLine(); // its order, if there is one, is in line as well
  const [domain, latest] = await Promise.all([deps.domains.get(tenantId, domainId), deps.orders.latest(tenantId, domainId)]);
  if (!domain) return { lookAt: inMs(now, UNDER_WAY_MS) }; // it was deleted just now, and this row with it
  if (latest && isLive(latest.status)) return underWay(renewal, latest, { now, alias: deps.acmeZone === null ? null : delegationTarget(domain, deps.acmeZone) });
  if (isLineFull && hasTime) return inLine();
  const blocked = manual ? null : await whyNotDelegated(deps, domain);
  if (blocked) return fail(renewal, blocked, now);
  try {
    await requestOrder(deps, { tenantId, domainId, requestId: null, renewal: replacing(renewal, deps.acme.directoryUrl, now) });
    return { lookAt: inMs(now, manual ? JUST_ASKED_MS : UNDER_WAY_MS) };
  } catch (error) {
    if (!(error instanceof Problem) || error.disposition !== 'terminal') throw error;
    return fail(renewal, { code: error.code, detail: error.message }, now);
  }
}

/** What the order that is to replace a certificate is told of it; only the CA that issued it knows it by name. */
export const replacing = (renewal: Renewal, ourDirectoryUrl: string, now: Date): NonNullable<NewOrder['renewal']> => ({
  certificateId: renewal.certificateId,
  neededBy: neededBy(renewal, now),
  replaces: renewal.directoryUrl === ourDirectoryUrl ? renewal.certId : null,
});

function fail(renewal: Renewal, reason: OrderReason, now: Date): Change {
  const failures = renewal.failures + 1;
  const renewAt = inMs(now, retryRenewalMs({ failures, leftMs: leftMs(renewal, now) }));
  const isNews = renewal.lastError?.detail !== reason.detail;
  return { failures, lastError: reason, renewAt, lookAt: renewAt, ...(isNews && { news: { step: 'blocked', reason } }) };
}

/** Whoever has to set a value is told so when it is known, when it is another one, and as time runs out; nobody has to where the alias is seen. */
function underWay(renewal: Renewal, order: Order, { now, alias }: { now: Date; alias: string | null }): Change {
  const isOurs = ({ evidence }: Authorization): boolean => alias !== null && evidence?.via.includes(alias) === true;
  const open = order.status === 'awaiting_dns' ? order.authorizations.filter((one) => one.status === 'pending' && !isOurs(one)) : [];
  const due = remindersDue(renewal, now);
  const told = `${order.id}/${order.generation}`;
  const next = earliest(inMs(now, open.length > 0 || !renewal.manual ? UNDER_WAY_MS : JUST_ASKED_MS * 10), nextReminder(renewal, due));
  if (!renewal.manual || open.length === 0 || (renewal.told === told && renewal.reminders >= due)) return { lookAt: next };
  const names = [...new Set(open.map(({ txtName }) => txtName))];
  const records = names.map((fqdn) => ({ fqdn, values: open.filter(({ txtName }) => txtName === fqdn).map(({ txtValue }) => txtValue) }));
  const until = (order.deadlineAt ?? renewal.notAfter).toISOString();
  return { lookAt: next, told, reminders: Math.max(due, renewal.reminders), news: { step: 'reminder', until, records } };
}

/** Said once, at the first look after it has happened. */
function expiry({ notAfter, reminders }: Renewal, now: Date): Change {
  if (notAfter > now || reminders === ALL_TOLD) return {};
  return { reminders: ALL_TOLD, news: { step: 'expired', notAfter: notAfter.toISOString() } };
}
