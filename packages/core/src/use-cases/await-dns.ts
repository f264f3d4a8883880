import type { AcmeAuthorization } from '../acme';
import { crashPoint } from '../crash-point';
import type { OrderJob } from '../jobs';
import type { Diagnosis } from '../diagnosis';
import { delegationTarget } from '../delegation';
import { nextLookMs } from '../dns-schedule';
import type { Authorization } from '../model';
import { phaseDeadline } from '../order';
import type { DnsDoctor, DomainStore, Lease, TxtLookup } from '../ports';
import { Problem, reorder, waitFor } from '../problem';
import type { TxtEvidence } from '../txt-evidence';
import { type AccountDeps, accountOf, type Ca } from './account';
import { caPollMs, ended, firstPause } from './ca-trouble';
import { moveOn, type OrderWork, workOnOrder } from './work-on-order';

export interface AwaitDnsDeps extends OrderWork, AccountDeps {
  txtLookup: TxtLookup;
  dnsDoctor: Pick<DnsDoctor, 'diagnose'>;
  domains: Pick<DomainStore, 'get'>;
  /** How soon to look at DNS again, in milliseconds (`POLL_INTERVAL`). */
  pollIntervalMs: number;
  /** The zone of our own name servers (`ACME_ZONE`). */
  acmeZone: string | null;
}

/**
 * `awaiting_dns` to `validating` once every authoritative server shows every value, then to `ready` once the CA has
 * validated them. What each server said is kept on the order at every look.
 */
export function awaitDns(deps: AwaitDnsDeps, job: OrderJob): Promise<void> {
  return workOnOrder(deps, job, 'await-dns', async (lease) => {
    const isNews = lease.order.status === 'awaiting_dns';
    if (isNews) await lookAtDns(deps, lease);
    const ca = await accountOf(deps, lease);
    if (lease.order.reason?.code !== TOLD) {
      await respond(deps, ca, lease, { maybeTold: !isNews });
      await firstPause();
    }
    await readVerdicts(deps, ca, lease);
  });
}

/** The reason of an order that waits for the CA's verdict: the CA has been told to validate. */
const TOLD = 'acme_validating';

const TELL_AGAIN_MS = 120_000;

const pending = (lease: Lease): Authorization[] =>
  lease.order.authorizations.filter((authorization) => authorization.status === 'pending');

/** @throws Problem `dns_not_ready` (wait) until every server that answers has every value. */
async function lookAtDns(deps: AwaitDnsDeps, lease: Lease): Promise<void> {
  const { caExpiresAt, id } = lease.order;
  if (caExpiresAt && caExpiresAt <= lease.now()) {
    throw reorder('acme_order_gone', "The CA's order expired before the record was there; the next one wants another value.");
  }
  const open = pending(lease);
  // `x` and `*.x` share one TXT name with two values: one look for both.
  const names = [...new Set(open.map((authorization) => authorization.txtName))];
  const beganAt = lease.now().getTime();
  const looks = await Promise.all(names.map((name) => look(deps, lease, open.filter(({ txtName }) => txtName === name))));
  lease.note(
    open.flatMap((one) =>
      looks
        .filter(({ evidence }) => evidence.fqdn === one.txtName)
        .map(({ evidence, diagnosis }) => ({ id: one.id, evidence, ...(diagnosis && { diagnosis: ofValue(one, evidence, diagnosis) }) })),
    ),
  );
  const missing = looks.filter(({ diagnosis }) => diagnosis?.code !== 'ready');
  if (missing.length > 0) {
    const { statusSince, watchedUntil } = lease.order;
    const now = lease.now();
    const waitMs = nextLookMs({
      waitedMs: now.getTime() - statusSince.getTime(),
      isWatched: watchedUntil !== null && watchedUntil > now,
      isAnswered: now.getTime() - beganAt < SLOW_LOOK_MS && missing.some(({ evidence }) => evidence.verdict !== 'no_answer'),
      pollIntervalMs: deps.pollIntervalMs,
    });
    throw waitFor('dns_not_ready', missing.map(({ diagnosis }) => diagnosis?.message ?? ON_ITS_WAY).join(' '), waitMs);
  }
  // Stored before the CA is told: whoever finds the order in `validating` knows that the CA may have been told.
  const now = lease.now();
  await moveOn(deps, lease, 'validating', { dueAt: now, deadlineAt: phaseDeadline('validating', now, deps.timeouts) });
  crashPoint('after-validating-stored', id);
}

/**
 * Even where servers say the same again, what they are asked besides may have changed: where else the value is, their serials. How long
 * a diagnosis holds, in milliseconds: not long while somebody waits and tries this and that, longer and longer where nobody does.
 */
function holdsMs({ at, since }: Diagnosis, isWatched: boolean): number {
  if (isWatched) return 20_000;
  return Math.min(Math.max(300_000, (Date.parse(at) - Date.parse(since)) / 2), 3_600_000);
}

/** Of several values at a name each that is not there is the one to be set. */
function ofValue({ txtName, txtValue }: Authorization, { servers }: TxtEvidence, diagnosis: Diagnosis): Diagnosis {
  const { set } = diagnosis;
  const isThere = servers.length > 0 && servers.every(({ values }) => values.includes(txtValue));
  return set?.type === 'TXT' && set.fqdn === txtName && !isThere ? { ...diagnosis, set: { ...set, value: txtValue } } : diagnosis;
}

/** A look that takes as long is one at servers that don't answer, whatever else they do: it keeps a worker from others, in milliseconds. */
const SLOW_LOOK_MS = 5_000;

/** Our own name servers have a new value within a second: until this long after it was told its absence is no news, in milliseconds. */
const OURS_MS = 5_000;
const ON_ITS_WAY = 'Our own name servers have not got the value yet.';

/** One look at one TXT name. Why the record isn't there is found out anew only when what the servers say has changed. */
async function look(deps: AwaitDnsDeps, lease: Lease, [one, ...others]: Authorization[]): Promise<{ evidence: TxtEvidence; diagnosis: Diagnosis | null }> {
  if (!one) throw new TypeError('a TXT name is some authorization’s');
  const expected = [one, ...others].map(({ txtValue }) => txtValue);
  const evidence = await deps.txtLookup.lookup(one.txtName, expected);
  deps.telemetry.dnsChecked(evidence.verdict);
  const { diagnosis: known } = one;
  const isWatched = (lease.order.watchedUntil ?? 0) > lease.now();
  const holds = known !== null && lease.now().getTime() - Date.parse(known.at) < holdsMs(known, isWatched);
  if (holds && known.code !== 'ready' && evidence.verdict !== 'ready' && one.evidence && isSame(evidence, one.evidence)) return { evidence: one.evidence, diagnosis: known };
  const alias = await ourAlias(deps, lease, evidence);
  const isYoung = lease.now().getTime() - lease.order.statusSince.getTime() < OURS_MS;
  if (alias !== undefined && isYoung && evidence.verdict !== 'ready') return { evidence, diagnosis: null };
  const diagnosis = await deps.dnsDoctor.diagnose({ identifier: one.identifier, fqdn: one.txtName, expected, evidence, ...(alias !== undefined && { alias }) });
  return { evidence, diagnosis: known?.code === diagnosis.code ? { ...diagnosis, since: known.since } : diagnosis };
}

/** Where the name is an alias of the domain's own label: it is as it should be, whatever is at its end. */
async function ourAlias({ domains, acmeZone }: AwaitDnsDeps, { order }: Lease, { via }: TxtEvidence): Promise<string | undefined> {
  if (acmeZone === null || !via.some((name) => name.endsWith(`.${acmeZone}`))) return undefined;
  const domain = await domains.get(order.tenantId, order.domainId);
  return domain ? via.find((name) => name === delegationTarget(domain, acmeZone)) : undefined;
}

const isSame = (now: TxtEvidence, before: TxtEvidence): boolean => essence(now) === essence(before);

const essence = ({ verdict, via, besideAlias, untold, zone, servers }: TxtEvidence): string =>
  JSON.stringify([verdict, via, besideAlias, untold, zone, servers.map(({ address, state, values }) => [address, state, [...values].sort()])]);

/**
 * Tells the CA to validate. Where it may have been told before, it is asked first, and only what is still `pending` there
 * is posted: a repeated challenge POST is an error at some CAs.
 */
async function respond(deps: AwaitDnsDeps, ca: Ca, lease: Lease, { maybeTold }: { maybeTold: boolean }): Promise<void> {
  let refused: Problem | null = null;
  for (const authorization of pending(lease)) {
    if (maybeTold) {
      const remote = await ca.getAuthorization(authorization.url);
      assertNotEnded(deps, remote, lease);
      if (remote.status !== 'pending' || remote.dns01?.status !== 'pending') continue;
    }
    try {
      await ca.respondToChallenge(authorization.challengeUrl);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'acme_pending') throw error;
      refused ??= error; // this one alone: the others are told all the same
    }
    crashPoint('after-challenge-sent', lease.order.id);
  }
  if (refused) throw refused;
}

async function readVerdicts(deps: AwaitDnsDeps, ca: Ca, lease: Lease): Promise<void> {
  const { id, statusSince } = lease.order;
  const open: string[] = [];
  const elapsedMs = lease.now().getTime() - statusSince.getTime();
  let retryAfterMs = caPollMs(elapsedMs);
  for (const authorization of pending(lease)) {
    const remote = await ca.getAuthorization(authorization.url);
    assertNotEnded(deps, remote, lease);
    // A CA that still waits to be told after so long has lost it.
    if (remote.dns01?.status === 'pending' && elapsedMs > TELL_AGAIN_MS) await ca.respondToChallenge(authorization.challengeUrl);
    if (remote.status === 'valid') {
      lease.note([{ id: authorization.id, status: 'valid' }]);
    } else {
      retryAfterMs = Math.max(retryAfterMs, remote.retryAfterMs ?? 0);
      open.push(authorization.identifier);
    }
  }
  crashPoint('after-verdicts-read', id);
  if (open.length > 0) throw waitFor(TOLD, `The CA is still validating ${open.join(', ')}.`, retryAfterMs);
  const now = lease.now();
  await moveOn(deps, lease, 'ready', {
    dueAt: now,
    deadlineAt: phaseDeadline('ready', now, deps.timeouts),
    letGo: true,
  });
  crashPoint('after-ready-stored', id);
}

/** @throws Problem `acme_challenge_failed` with the CA's own words, `acme_order_gone` (reorder) */
function assertNotEnded({ acmeZone }: AwaitDnsDeps, { identifier, status, dns01 }: AcmeAuthorization, { order }: Lease): void {
  if (status === 'pending' || status === 'valid') return;
  if (status !== 'invalid') throw reorder('acme_order_gone', `The CA's authorization for ${identifier} is ${status}.`);
  const isOurs = (name: string): boolean => acmeZone !== null && name.endsWith(`.${acmeZone}`);
  const costsNobody = order.authorizations.every(({ evidence }) => evidence?.via.some(isOurs));
  throw ended('acme_challenge_failed', dns01?.error ?? null, { what: `The CA's validation of ${identifier} failed`, generation: order.generation, costsNobody });
}
