import { DEFAULT_TENANT_ID, newDelegationLabel } from '@certwright/core';
import type { Client } from 'pg';
import { DAY_MS, type Site, T0, type YearPlan } from './plan';

/** All domains, verified, in three statements; those that nobody is to watch are due after the end. Returns the ids by name. */
export async function insertSites(client: Client, plan: YearPlan, sites: Map<string, Site>): Promise<Map<string, string>> {
  const all = [...sites.values()];
  const { rows } = await client.query<{ id: string; name: string }>(
    `INSERT INTO domains (id, tenant_id, name, names, status, verification_token, verified_at, created_at, watch_at)
     SELECT gen_random_uuid(), $1, s.name, ARRAY[s.name], 'verified', 'token', $4, $4, CASE WHEN s.watched THEN NULL ELSE $5::timestamptz END
       FROM unnest($2::text[], $3::boolean[]) AS s(name, watched) RETURNING id, name`,
    [
      DEFAULT_TENANT_ID,
      all.map(({ name }) => name),
      all.map(({ isWatched }) => isWatched),
      new Date(T0),
      new Date(T0 + (plan.days + 1) * DAY_MS),
    ],
  );
  await client.query('INSERT INTO delegations (label, domain_id) SELECT * FROM unnest($1::text[], $2::uuid[])', [
    rows.map(() => newDelegationLabel()),
    rows.map(({ id }) => id),
  ]);
  await client.query('ANALYZE');
  return new Map(rows.map(({ id, name }) => [name, id]));
}
