import type { Client } from 'pg';
import type { SimulatedDns } from './dns';
import { DAY_MS, HOUR_MS, seeded, type Site } from './plan';

export interface Owners {
  /** Once an hour: reads the reminders that there are, and does what their owners do by now. */
  act(): Promise<void>;
  /** When each owner set the values of which certificate's renewal, by name and its end. */
  actedAt: Map<string, number>;
}

interface Reminder {
  id: string;
  name: string;
  until: string;
  values: string[];
}

/**
 * People who set what they were last told, 1 to 20 days (of a certificate of 90 days; others in proportion) after the first reminder of a
 * renewal, and within a day when it has changed since.
 */
export function createOwners({ client, dns, sites, now }: { client: Client; dns: SimulatedDns; sites: Map<string, Site>; now: () => number }): Owners {
  const random = seeded(2);
  const told = new Map<string, { until: string; values: string[]; at: number | null }>();
  const actedAt = new Map<string, number>();
  let seen = '0';
  let readAt = 0;

  function hear({ name, until, values }: Reminder): void {
    const site = sites.get(name);
    if (!site) return;
    const known = told.get(name);
    if (known?.until !== until) {
      told.set(name, { until, values, at: now() + ((1 + random() * 19) * DAY_MS * site.life) / 90 });
    } else if (known.values.join() !== values.join()) {
      known.at ??= now() + HOUR_MS + (random() * DAY_MS * site.life) / 90;
      known.values = values;
    }
  }

  return {
    actedAt,
    async act() {
      if (now() < readAt + HOUR_MS) return;
      readAt = now();
      const { rows } = await client.query<Reminder>(
        `SELECT e.id, d.name, e.data->>'until' AS until, ARRAY(SELECT jsonb_array_elements_text(e.data->'records'->0->'values')) AS values
           FROM domain_events e JOIN domains d ON d.id = e.domain_id
          WHERE e.id > $1 AND e.kind = 'renewal' AND e.data->>'step' = 'reminder' ORDER BY e.id`,
        [seen],
      );
      for (const reminder of rows) hear(reminder);
      const [last] = (await client.query<{ id: string | null }>('SELECT max(id) AS id FROM domain_events')).rows;
      seen = last?.id ?? seen;
      for (const [name, one] of told) {
        if (one.at === null || one.at > now()) continue;
        one.at = null;
        dns.values.set(name, one.values);
        const key = `${name} ${Date.parse(one.until)}`;
        if (!actedAt.has(key)) actedAt.set(key, now());
      }
    },
  };
}
