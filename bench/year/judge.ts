import { windowOf } from '@certwright/core';
import type { CaCertificate } from './ca';
import { DAY_MS, HOUR_MS, isDelegated, type Life, MINUTE_MS, outageAt, type Site } from './plan';
import type { Simulated } from './simulate';

/** One certificate as the database has it. Times in ms since 1970. */
export interface Kept {
  name: string;
  life: Life;
  notBefore: number;
  notAfter: number;
  orderedAt: number;
  storedAt: number;
  /** The certificate after it; null: there is none. */
  next: Kept | null;
}

/** What nobody could have noticed any more: tries are up to ten minutes apart at the end. */
const TOO_LATE_MS = 15 * MINUTE_MS;

/**
 * `could have been saved`: the CA was there and the delegation worked, both at once, after its moment within the window had come and before the
 * end · `gone before its turn`: both were there in the window, but not from the moment on that had been chosen in it · `broken`: the
 * delegation led nowhere, or the CA was away, from the start of the window to the end · `mended too late`: all that it takes was there in the
 * last quarter of an hour alone · `owner too late`: of a manual domain
 */
export type ExpiryClass = 'could have been saved' | 'gone before its turn' | 'broken' | 'mended too late' | 'owner too late';

export interface Expiry {
  name: string;
  life: Life;
  notAfter: string;
  /** How long the CA and DNS were both there from its turn to the end, in milliseconds. */
  savableMs: number;
  /** Whether it was replaced later. */
  isReplaced: boolean;
  /** The proof: what was broken when, or when the owner acted. */
  because: string;
  kind: ExpiryClass;
}

export async function readKept({ client, sites }: Simulated): Promise<Kept[]> {
  const { rows } = await client.query<{ name: string; nb: number; na: number; ordered: number; stored: number }>(
    `SELECT d.name, extract(epoch FROM c.not_before)::float8 * 1000 AS nb, extract(epoch FROM c.not_after)::float8 * 1000 AS na,
            extract(epoch FROM o.created_at)::float8 * 1000 AS ordered, extract(epoch FROM e.at)::float8 * 1000 AS stored
       FROM certificates c JOIN orders o ON o.id = c.order_id JOIN domains d ON d.id = c.domain_id
            JOIN domain_events e ON e.order_id = o.id AND e.kind = 'order' AND e.status = 'valid'
      ORDER BY d.name, e.at`,
  );
  const all = rows.map(({ name, nb, na, ordered, stored }): Kept => ({
    name,
    life: sites.get(name)?.life ?? 90,
    notBefore: nb,
    notAfter: na,
    orderedAt: ordered,
    storedAt: stored,
    next: null,
  }));
  for (const [index, one] of all.entries()) {
    const next = all[index + 1];
    if (next?.name === one.name) one.next = next;
  }
  return all;
}

/** Those that were not replaced before their end, each with what speaks for it. */
export async function expiriesOf(simulated: Simulated, kept: Kept[]): Promise<Expiry[]> {
  const expired = kept.filter(({ notAfter, next }) => notAfter < simulated.endsAt && (next === null || next.storedAt > notAfter));
  const expiries: Expiry[] = [];
  for (const one of expired) expiries.push(expiryOf(simulated, one, await triedAt(simulated, one)));
  return expiries;
}

/** When the product first did anything about its renewal; Infinity: never. */
async function triedAt({ client }: Simulated, { name, storedAt }: Kept): Promise<number> {
  const { rows } = await client.query<{ at: number | null }>(
    `SELECT extract(epoch FROM min(e.at))::float8 * 1000 AS at FROM domain_events e JOIN domains d ON d.id = e.domain_id
      WHERE d.name = $1 AND e.at > $2 AND (e.kind = 'order' AND e.status = 'new' OR e.kind = 'renewal' AND e.data->>'step' = 'blocked')`,
    [name, new Date(storedAt)],
  );
  return rows[0]?.at ?? Infinity;
}

function expiryOf({ plan, sites, owners }: Simulated, one: Kept, tried: number): Expiry {
  const site = sites.get(one.name) as Site;
  const window = windowOf({ notBefore: new Date(one.notBefore), notAfter: new Date(one.notAfter) });
  const from = window.start.getTime();
  const turn = Math.min(tried, window.end.getTime());
  const actedAt = owners.actedAt.get(`${one.name} ${one.notAfter}`) ?? Infinity;
  const isThere = (at: number): boolean => outageAt(plan, at) === null && (site.isManual ? at >= actedAt : isDelegated(site, at));
  let savableMs = 0;
  let beforeMs = 0;
  for (let at = from; at < one.notAfter; at += MINUTE_MS) {
    if (isThere(at) && at >= turn) savableMs += MINUTE_MS;
    else if (isThere(at)) beforeMs += MINUTE_MS;
  }
  const inVain: ExpiryClass = site.isManual ? 'owner too late' : beforeMs > 0 ? 'gone before its turn' : 'broken';
  const kind: ExpiryClass = savableMs > TOO_LATE_MS ? 'could have been saved' : savableMs > 0 ? 'mended too late' : inVain;
  const day = (at: number | null): string => (at === null || at === Infinity ? 'never' : new Date(at).toISOString());
  const because = site.isManual ? `set by its owner: ${day(actedAt)}` : `broken ${day(site.brokenAt)}, mended ${day(site.mendedAt)}`;
  const { name, life, next } = one;
  const proof = `window from ${day(from)}, first try ${day(tried)}; ${because}`;
  return { name, life, notAfter: day(one.notAfter), savableMs, isReplaced: next !== null, because: proof, kind };
}

/** The most of `times` within any `spanMs`. */
export function mostWithin(times: number[], spanMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [index, at] of sorted.entries()) {
    while ((sorted[first] ?? at) <= at - spanMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

export interface Moved {
  windows: number;
  within24Hours: number;
  slowestHours: number;
  told: number;
}

/** What became of those whose windows the CA moved into the past. */
export async function movedOf({ ca, client }: Simulated): Promise<Moved> {
  const moved = [...ca.certificates.values()].filter((one): one is CaCertificate & { movedAt: number } => one.movedAt !== null);
  const { rows } = await client.query<{ name: string; at: number }>(
    `SELECT d.name, extract(epoch FROM e.at)::float8 * 1000 AS at FROM domain_events e JOIN domains d ON d.id = e.domain_id
      WHERE e.kind = 'renewal' AND e.data->>'step' = 'moved'`,
  );
  const told = new Map(rows.map(({ name, at }) => [name, at]));
  const tookMs = moved.map(({ movedAt, replacedAt }) => (replacedAt ?? Infinity) - movedAt);
  return {
    windows: moved.length,
    within24Hours: tookMs.filter((ms) => ms <= DAY_MS).length,
    slowestHours: Math.round((Math.max(0, ...tookMs) / HOUR_MS) * 10) / 10,
    told: moved.filter(({ site, movedAt }) => (told.get(site.name) ?? 0) >= movedAt).length,
  };
}
