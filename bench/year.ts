import { windowOf } from '@certwright/core';
import { round, table } from './measure';
import { type Expiry, expiriesOf, type ExpiryClass, type Kept, mostWithin, type Moved, movedOf, readKept } from './year/judge';
import { DAY_MS, HOUR_MS, type Life, LIVES, outageAt, SHORT_YEAR, T0, YEAR, type YearPlan } from './year/plan';
import { simulate, type Simulated } from './year/simulate';

export interface Year {
  plan: YearPlan;
  certificates: Record<Life, number>;
  renewals: number;
  /** Before their window by their life alone, as the CA suggested. */
  early: number;
  expired: Record<ExpiryClass, number>;
  expiries: Expiry[];
  moved: Moved;
  perHour: { most: number; mean: number };
  perWeek: number[];
  /** By life, in hours, of those that were in time. */
  leastLeftHours: Record<Life, number | null>;
  /** Orders accepted by the CA; of the first certificates, and of all later ones. */
  placed: { firstHour: number; mostInAnHour: number; mostIn3Hours: number; budget: number };
  ca: Simulated['ca']['counts'];
  jobs: Record<string, number>;
  problems: Record<string, number>;
  orders: { status: string; code: string | null; count: number }[];
  events: { what: string; count: number }[];
  live: { status: string; code: string | null; count: number }[];
  wallSeconds: number;
  cpuSeconds: number;
  moments: number;
  statements: number;
  tookSeconds: Record<string, number>;
  failures: string[];
}

/** A year of renewals: the product as it is, on a database whose clock is set; the CA, DNS and the people are played. */
export function benchYear({ short, certificates }: { short: boolean; certificates: number | null }): Promise<Year> {
  const plan = short ? SHORT_YEAR : YEAR;
  return simulate({ ...plan, certificates: certificates ?? plan.certificates }, judge, console.log);
}

export async function judge(simulated: Simulated): Promise<Year> {
  const { plan, ca, queue, client, problems, wallMs, cpuMs, moments } = simulated;
  const kept = await readKept(simulated);
  const renewed = kept.flatMap((one) => (one.next ? [{ before: one, after: one.next }] : []));
  const expiries = await expiriesOf(simulated, kept);
  const opening = T0 + 3 * HOUR_MS;
  const later = ca.placedAt.filter((at) => at >= opening);
  const times = renewed.map(({ after }) => after.storedAt);
  const ofLife = <T>(value: (life: Life) => T): Record<Life, T> => ({ 90: value(90), 45: value(45), 6: value(6) });
  const firstOf = new Set(kept.map(({ name }) => name));
  const year: Year = {
    plan,
    certificates: ofLife((life) => [...simulated.sites.values()].filter((site) => site.life === life).length),
    renewals: renewed.length,
    early: renewed.filter(({ before, after }) => after.orderedAt < startOf(before)).length,
    expired: countBy(expiries),
    expiries,
    moved: await movedOf(simulated),
    perHour: { most: mostWithin(times, HOUR_MS), mean: round(renewed.length / (plan.days * 24), 1) },
    perWeek: Array.from({ length: Math.ceil(plan.days / 7) }, (_, week) => times.filter((at) => Math.floor((at - T0) / (7 * DAY_MS)) === week).length),
    leastLeftHours: ofLife((life) => leastLeftHours(renewed.filter(({ before, after }) => before.life === life && after.storedAt <= before.notAfter))),
    placed: {
      firstHour: ca.placedAt.length - later.length,
      mostInAnHour: mostWithin(later, HOUR_MS),
      mostIn3Hours: mostWithin(later, 3 * HOUR_MS),
      budget: plan.ordersPer3Hours,
    },
    ca: ca.counts,
    jobs: queue.ended,
    problems,
    orders: await rows(simulated, `SELECT status::text, reason->>'code' AS code, count(*)::int FROM orders GROUP BY 1, 2 ORDER BY 3 DESC`),
    events: await rows(
      simulated,
      `SELECT concat_ws(' ', kind, status, data->>'step', 'ready ' || (data->'forecast'->>'isReady')) AS what, count(*)::int
         FROM domain_events GROUP BY 1 ORDER BY 1`,
    ),
    live: await rows(
      simulated,
      `SELECT status::text, reason->>'code' AS code, count(*)::int FROM orders WHERE status NOT IN ('valid', 'invalid') GROUP BY 1, 2`,
    ),
    wallSeconds: round(wallMs / 1000, 0),
    cpuSeconds: round(cpuMs / 1000, 0),
    moments,
    statements: Number((await client.query<{ n: string }>('SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()')).rows[0]?.n),
    tookSeconds: Object.fromEntries(
      [...Object.entries(simulated.tookMs), ...Object.entries(queue.tookMs).map(([name, ms]): [string, number] => [`… ${name}, of all lanes`, ms])].map(
        ([what, ms]) => [what, round(ms / 1000, 0)],
      ),
    ),
    failures: [],
  };
  year.failures.push(...(await violated(simulated, year, renewed, firstOf.size)));
  return year;
}

const rows = async <Row extends object>({ client }: Simulated, statement: string): Promise<Row[]> => (await client.query<Row>(statement)).rows;

const startOf = ({ notBefore, notAfter }: Kept): number => windowOf({ notBefore: new Date(notBefore), notAfter: new Date(notAfter) }).start.getTime();

const leastLeftHours = (renewed: { before: Kept; after: Kept }[]): number | null => {
  const least = renewed.reduce((ms, { before, after }) => Math.min(ms, before.notAfter - after.storedAt), Infinity);
  return least === Infinity ? null : round(least / HOUR_MS, 1);
};

function countBy(expiries: Expiry[]): Record<ExpiryClass, number> {
  const count = (kind: ExpiryClass): number => expiries.filter((one) => one.kind === kind).length;
  return {
    'could have been saved': count('could have been saved'),
    'gone before its turn': count('gone before its turn'),
    broken: count('broken'),
    'mended too late': count('mended too late'),
    'owner too late': count('owner too late'),
  };
}

/** Everything that must not be. */
async function violated(simulated: Simulated, year: Year, renewed: { before: Kept; after: Kept }[], certified: number): Promise<string[]> {
  const { plan, queue, passErrors, ca } = simulated;
  const { expiries, moved, placed } = year;
  const failures = expiries.filter(({ kind }) => kind === 'could have been saved').map((one) => `expired though it could have been saved: ${JSON.stringify(one)}`);
  if (certified !== plan.certificates) failures.push(`${plan.certificates - certified} domains never had a certificate`);
  if (moved.within24Hours < moved.windows) failures.push(`${moved.windows - moved.within24Hours} of ${moved.windows} windows were moved and not heeded within 24 h`);
  if (moved.told < moved.windows) failures.push(`${moved.windows - moved.told} of ${moved.windows} moves were not told`);
  if (placed.mostIn3Hours > placed.budget) failures.push(`${placed.mostIn3Hours} orders in 3 h, ${placed.budget} are allowed`);
  const told = year.events.find(({ what }) => what === 'renewal expired')?.count ?? 0;
  const unsaid = expiries.length - told;
  if (unsaid < 0 || unsaid > expiries.filter(({ notAfter }) => Date.parse(notAfter) > simulated.endsAt - DAY_MS).length) {
    failures.push(`${expiries.length} certificates expired, ${told} were told`);
  }
  const isMoved = new Set([...ca.certificates.values()].filter(({ movedAt }) => movedAt !== null).map(({ site, issuedAt }) => `${site.name} ${issuedAt}`));
  const hasty = renewed.filter(({ before, after }) => after.storedAt - before.storedAt < 0.4 * before.life * DAY_MS);
  const looped = hasty.filter(({ before }) => ![...isMoved].some((key) => key.startsWith(`${before.name} `)));
  if (looped.length > 0) failures.push(`${looped.length} renewals within two fifths of the life, e.g. of ${looped[0]?.before.name}`);
  const [state] = await rows<{ lost: number; overdue: number; missing: number }>(
    simulated,
    `SELECT (SELECT count(*)::int FROM renewals WHERE look_at < clock_timestamp() - interval '2 hours') AS lost,
            (SELECT count(*)::int FROM orders
              WHERE status NOT IN ('valid', 'invalid') AND coalesce(due_at < clock_timestamp() - interval '2 hours', true)) AS overdue,
            (SELECT count(*)::int FROM domains d WHERE NOT EXISTS (SELECT 1 FROM renewals r WHERE r.domain_id = d.id)) AS missing`,
  );
  if (state?.lost !== 0) failures.push(`${state?.lost} renewals have not been looked at for 2 h`);
  if (state?.overdue !== 0) failures.push(`${state?.overdue} live orders have not been looked at for 2 h`);
  if (state?.missing !== 0) failures.push(`${state?.missing} domains have no renewal`);
  if (outageAt(plan, simulated.endsAt) !== null) failures.push('the year ends in an outage');
  for (const error of new Set([...passErrors, ...queue.errors].map((one) => one.slice(0, 300)))) failures.push(error);
  return failures;
}

const BAR = 60;

export function describeYear(year: Year): string {
  const { plan, certificates, expired, moved, perHour, perWeek, leastLeftHours, placed } = year;
  const most = Math.max(1, ...perWeek);
  const outages = plan.outages.map(({ from, days, kind }) => `${days} days from day ${from} (${kind})`).join(', ');
  const list = (counts: Record<string, number>): string => table(['', 'count'], Object.entries(counts));
  const lives = LIVES.map((life) => `${certificates[life]} of ${life} days`).join(', ');
  return [
    `Renewals of ${plan.certificates} certificates (${lives}) in ${plan.days} days, a pass every ${plan.tickMs / 60_000} min`,
    `  Outages of the CA: ${outages}.`,
    `  Broken delegations ${plan.brokenShare * 100} %, manual domains ${plan.manualShare * 100} %; windows suggested for ${plan.ariShare * 100} %.`,
    '',
    table(
      ['renewals', 'early by ARI', 'most in 1 h', 'mean in 1 h', 'orders: most in 1 h', 'most in 3 h', 'budget in 3 h'],
      [[year.renewals, year.early, perHour.most, perHour.mean, placed.mostInAnHour, placed.mostIn3Hours, placed.budget]],
    ),
    '',
    table(['expired', 'count'], Object.entries(expired)),
    ...Object.keys(expired).flatMap((kind) => proofs(year, kind)),
    '',
    table(['windows moved into the past', 'replaced within 24 h', 'slowest h', 'told'], [[moved.windows, moved.within24Hours, moved.slowestHours, moved.told]]),
    '',
    table(['life', 'least left at a renewal, h'], LIVES.map((life) => [`${life} days`, leastLeftHours[life]])),
    '',
    table(['orders', 'why', 'count'], year.orders.map(({ status, code, count }) => [status, code, count])),
    '',
    table(['events', 'count'], year.events.map(({ what, count }) => [what, count])),
    '',
    list(year.jobs),
    '',
    table(['left live at the end', 'why', 'count'], year.live.map(({ status, code, count }) => [status, code, count])),
    '',
    `  At the CA: ${year.ca.requests} requests, ${year.ca.failed} in vain; ${year.ca.withReplaces} orders said what they replace,`,
    `  ${year.ca.alreadyReplaced} were refused for it.`,
    `  Took ${year.wallSeconds} s (${year.cpuSeconds} s of this process's CPU), ${year.statements} statements at ${year.moments} moments. Of that, in seconds:`,
    '',
    list(year.tookSeconds),
    '',
    '  Renewals by week:',
    ...perWeek.map((count, week) => `  ${String(week + 1).padStart(3)} ${String(count).padStart(6)} ${'#'.repeat(Math.round((count / most) * BAR))}`),
  ].join('\n');
}

/** Of a few of a kind; the JSON has all. */
const proofs = ({ expiries }: Year, kind: string): string[] =>
  expiries
    .filter((expiry) => expiry.kind === kind)
    .slice(0, 3)
    .map(({ name, life, notAfter, because }) => `    ${kind}: ${name}, ${life} days, until ${notAfter}; ${because}`);
