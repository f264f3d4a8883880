import { randomBytes } from 'node:crypto';
import { createKeyMaker } from '@certwright/acme';
import { DEFAULT_TENANT_ID, reconcile, renewDue, requestOrder, type Telemetry } from '@certwright/core';
import { createDatabase } from '@certwright/db';
import { createTestDatabase, settableClock } from '@certwright/testing';
import { Client } from 'pg';
import { createProcessors, type ProcessorDeps } from '../../apps/worker/src/processors';
import { createCa, type SimulatedCa } from './ca';
import { ACME_ZONE, createDns } from './dns';
import { withoutPauses } from './no-pauses';
import { createOwners, type Owners } from './owners';
import { DAY_MS, HOUR_MS, isDelegated, MINUTE_MS, seeded, type Site, sitesOf, T0, type YearPlan } from './plan';
import { createQueue, type SimulatedQueue } from './queue';
import { insertSites } from './seed';

export interface Simulated {
  plan: YearPlan;
  sites: Map<string, Site>;
  ca: SimulatedCa;
  queue: SimulatedQueue;
  owners: Owners;
  client: Client;
  endsAt: number;
  /** How often a step ended in a Problem, by its code. */
  problems: Record<string, number>;
  passErrors: string[];
  /** Of the whole run, and of each part of it, in milliseconds of the real time. */
  wallMs: number;
  tookMs: Record<string, number>;
  cpuMs: number;
  moments: number;
}

/** So close to the end of a certificate a pass comes when something is due, not at the next tick. */
const CLOSE_MS = 2 * HOUR_MS;
const CLOSE_TICK_MS = MINUTE_MS;
/** So long before an outage a pass comes: the product's, every ten seconds, miss none of what was due before it. */
const BEFORE_OUTAGE_MS = 5 * MINUTE_MS;
/** The first certificates are there by then. */
const OPENING_MS = 3 * HOUR_MS;

/** A year of `plan`, on a database of its own whose clock is set; `look` is given what has come of it before that is dropped. */
export async function simulate<T>(plan: YearPlan, look: (simulated: Simulated) => Promise<T>, log: (line: string) => void = () => undefined): Promise<T> {
  const test = await createTestDatabase();
  const clock = await settableClock(test.url);
  const database = createDatabase({ url: test.url, sealingKey: randomBytes(32), poolMax: 16 });
  const client = new Client({ connectionString: test.url });
  await client.connect();
  const sites = new Map(sitesOf(plan).map((site) => [site.name, site]));
  const endsAt = T0 + plan.days * DAY_MS;
  let now = T0;
  const at = (): number => now;
  const dns = createDns({ sites, now: at });
  const ca = await createCa({ plan, dns, sites, now: at });
  const problems: Record<string, number> = {};
  const budget = { per3Hours: plan.certificates + 1_000, perRegisteredDomainPerWeek: 50 };
  const queue = createQueue({ now: at, handlers: () => handlers });
  const deps: ProcessorDeps = {
    ...database,
    jobs: queue,
    telemetry: telemetryOf(problems),
    acme: ca,
    keys: createKeyMaker(),
    txtLookup: dns,
    dnsDoctor: dns.dnsDoctor,
    caaLookup: dns.caaLookup,
    caaIdentities: [],
    acmeZone: ACME_ZONE,
    phaseTimeoutMs: 3 * DAY_MS,
    keyType: 'ec-256',
    reuseKeys: false,
    asking: { pausedUntil: new Date(0) },
    profile: null,
    email: null,
    budget,
    pollIntervalMs: 10 * MINUTE_MS,
    timeouts: { dnsMs: 5 * MINUTE_MS, phaseMs: 3 * DAY_MS },
    leaseMs: 30_000,
  };
  const handlers = createProcessors(deps);
  const owners = createOwners({ client, dns, sites, now: at });
  const passErrors: string[] = [];
  const tookMs: Record<string, number> = {};
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const startedAt = performance.now();
    await work().catch((error: unknown) => passErrors.push(`${what}: ${String(error)}`));
    tookMs[what] = (tookMs[what] ?? 0) + (performance.now() - startedAt);
  };

  let passedAt = T0;
  /** When there is anything for a pass to do. */
  async function nextPass(): Promise<number> {
    const { rows } = await client.query<{ soon: number | null; close: number | null }>(
      `SELECT extract(epoch FROM least((SELECT min(look_at) FROM renewals), (SELECT min(watch_at) FROM domains)))::float8 * 1000 AS soon,
              extract(epoch FROM (SELECT min(look_at) FROM renewals WHERE not_after BETWEEN $1 AND $2))::float8 * 1000 AS close`,
      [new Date(now), new Date(now + CLOSE_MS)],
    );
    const after = (due: number | null | undefined, tickMs: number): number => Math.max(Math.ceil((due ?? Infinity) / tickMs) * tickMs, passedAt + tickMs);
    const isLost = queue.lost.size > 0;
    const isClose = (rows[0]?.close ?? null) !== null;
    const regular = Math.min(after(isLost ? now : rows[0]?.soon, plan.tickMs), after(isLost && isClose ? now : rows[0]?.close, CLOSE_TICK_MS));
    return Math.min(regular, ...plan.outages.map(({ from }) => T0 + from * DAY_MS - BEFORE_OUTAGE_MS).filter((at) => at > now));
  }

  async function live(): Promise<number> {
    const startsAt = [...sites.values()].sort((a, b) => a.startsAt - b.startsAt);
    const ids = await insertSites(client, plan, sites);
    let moments = 0;
    let passAt = T0;
    let saidAt = T0;
    let isRevoked = false;
    const firstAt = performance.now();
    while (now < endsAt) {
      moments += 1;
      await timed('clock', () => clock.set(new Date(now)));
      while (startsAt[0] && startsAt[0].startsAt <= now) {
        const domainId = ids.get(startsAt.shift()?.name ?? '') ?? '';
        await requestOrder(deps, { tenantId: DEFAULT_TENANT_ID, domainId, requestId: null });
      }
      if (now >= T0 + OPENING_MS && budget.per3Hours !== plan.ordersPer3Hours) {
        budget.per3Hours = plan.ordersPer3Hours;
        for (const { name, isManual } of sites.values()) if (isManual) dns.values.set(name, []);
      }
      if (plan.revocationDay !== null && !isRevoked && now >= T0 + plan.revocationDay * DAY_MS) {
        isRevoked = true;
        revoke(plan, ca, now);
      }
      const isPass = now >= passAt;
      if (isPass) {
        passedAt = now;
        await Promise.all([timed('renew-due', () => renewDue(deps)), timed('reconcile', () => reconcile(deps)), timed('owners', () => owners.act())]);
      }
      let ended = 0;
      await timed('jobs', async () => void (ended = await queue.runDue()));
      if (isPass || ended > 0) await timed('looking for the next moment', async () => void (passAt = await nextPass()));
      const openAt = startsAt.length > 0 ? now + MINUTE_MS : now < T0 + OPENING_MS ? T0 + OPENING_MS : Infinity;
      now = Math.max(now + 1_000, Math.min(passAt, queue.nextAt(), openAt));
      if (now >= saidAt + 30 * DAY_MS) {
        saidAt += 30 * DAY_MS;
        log(`  day ${Math.round((saidAt - T0) / DAY_MS)}: ${ca.certificates.size} certificates issued, ${Math.round((performance.now() - firstAt) / 1000)} s`);
      }
    }
    now = endsAt;
    await clock.set(new Date(now));
    return moments;
  }

  try {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    const moments = await withoutPauses(live);
    const { user, system } = process.cpuUsage(cpu);
    const wallMs = performance.now() - startedAt;
    return await look({ plan, sites, ca, queue, owners, client, endsAt, problems, passErrors, wallMs, tookMs, cpuMs: (user + system) / 1000, moments });
  } finally {
    await client.end();
    await database.close();
    await clock.close();
    await test.drop();
  }
}

/** As Boulder has it for what it is going to revoke: a window that ended half an hour ago. Nobody's whose time has come as it is. */
function revoke({ certificates: all, revokedShare }: YearPlan, { certificates }: SimulatedCa, now: number): void {
  const random = seeded(3);
  const isSound = (site: Site): boolean => !site.isManual && isDelegated(site, now) && isDelegated(site, now + DAY_MS);
  const could = [...certificates.values()].filter(
    ({ site, replacedAt, notAfter, window }) =>
      site.hasAri && isSound(site) && replacedAt === null && notAfter > now && window.start.getTime() > now + DAY_MS,
  );
  const chosen = could.map((certificate) => ({ certificate, lot: random() })).sort((a, b) => a.lot - b.lot);
  for (const { certificate } of chosen.slice(0, Math.round(all * revokedShare))) {
    certificate.movedAt = now;
    certificate.window = { start: new Date(now - HOUR_MS), end: new Date(now - HOUR_MS / 2) };
  }
}

const telemetryOf = (problems: Record<string, number>): Telemetry => ({
  phaseEnded: () => undefined,
  orderEnded: () => undefined,
  problem: (code) => void (problems[code] = (problems[code] ?? 0) + 1),
  dnsChecked: () => undefined,
  leaseLost: () => void (problems.lease_lost = (problems.lease_lost ?? 0) + 1),
  reconciled: () => undefined,
});
