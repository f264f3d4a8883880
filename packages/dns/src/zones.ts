import { isPublicSuffix } from '@certwright/core';
import { createBudget, within } from './budget';
import { parentOf } from './names';
import type { Resolver } from './resolver';
import { createTtlCache } from './ttl-cache';
import { addressesOf, type Cut, cutAbove, hostsOf, type NameServer, serversAt } from './zone-cut';

export interface Zone {
  apex: string;
  /** The NS hosts. */
  hosts: string[];
  /** Whether a resolver said that the name lies in this very zone, and not only below its apex. */
  sure: boolean;
}

export interface FoundZone {
  /** Null where the name lies in nobody's zone, or nobody can tell. */
  zone: Zone | null;
  /** Whether any resolver answers at all. */
  answered: boolean;
}

/** Called with a number of queries before they are sent; what it throws stops them. */
type Spend = (queries: number) => void;

/** Where zones are and who serves them, kept for as long as the records hold; never what is in a zone. */
export interface Zones {
  /** The nearest known zone above the name; where none is known, the name's own, through resolvers. */
  nearest(name: string, spend: Spend): Promise<FoundZone>;
  /** The name's own zone; `anew`: whatever was heard of it before. */
  exact(name: string, spend: Spend, how?: { anew: boolean }): Promise<FoundZone>;
  serversAt(hosts: string[], spend: Spend): Promise<NameServer[]>;
}

export interface ZonesOptions {
  resolvers: (budgetMs: () => number) => Pick<Resolver, 'ask'>;
  /** Bound of finding one thing out, in milliseconds. */
  timeoutMs: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

/** Twice as many names as a large installation polls, each in a zone of its own; some megabytes. */
const MAX_KEPT = 20_000;

/** Names below one parent mostly share its zone: one goes ahead, and the others wait for as long as a resolver takes. */
const MAX_WAIT_MS = 300;

export function createZones({ resolvers, timeoutMs, now }: ZonesOptions): Zones {
  const cuts = createTtlCache<Cut>({ max: MAX_KEPT, now });
  const hosts = createTtlCache<string[] | null>({ max: MAX_KEPT, now });
  const addresses = createTtlCache<string[] | null>({ max: MAX_KEPT, now });
  const ahead = new Map<string, Promise<unknown>>();
  // Not the time of the lookup that happens to ask first: others wait for the answer as well.
  const resolver = (): Pick<Resolver, 'ask'> => resolvers(createBudget(timeoutMs, 0).queryMs);

  const exact: Zones['exact'] = async (name, spend, { anew } = { anew: false }) => {
    if (anew) cuts.forget(name);
    const { apex, answered } = await cuts.get(name, () => {
      spend(1);
      return cutAbove(name, resolver());
    });
    if (apex === null) return { zone: null, answered };
    const found = await hosts.get(apex, () => {
      spend(1);
      return hostsOf(apex, resolver());
    });
    if (found === null) return { zone: null, answered: false };
    return { zone: { apex, hosts: found, sure: true }, answered };
  };

  const known = (name: string): FoundZone | null => {
    for (let apex = name; apex !== ''; apex = parentOf(apex)) {
      // A top-level domain's servers know nothing but where to go on.
      const found = apex === name || !isPublicSuffix(apex) ? hosts.peek(apex) : undefined;
      if (found) return { zone: { apex, hosts: found, sure: apex === name }, answered: true };
    }
    return null;
  };

  const unknown = async (name: string, spend: Spend): Promise<FoundZone> => {
    const parent = parentOf(name);
    if (isPublicSuffix(parent)) return exact(name, spend);
    const first = ahead.get(parent);
    if (first) {
      await within(MAX_WAIT_MS, first);
      return known(name) ?? exact(name, spend);
    }
    const search = exact(name, spend);
    const over = (): boolean => ahead.delete(parent);
    ahead.set(parent, search.then(over, over));
    return search;
  };

  return {
    exact,
    nearest: async (name, spend) => (cuts.peek(name) ? exact(name, spend) : (known(name) ?? unknown(name, spend))),
    serversAt: (names, spend) =>
      serversAt(names, (host) =>
        addresses.get(host, () => {
          spend(2);
          return addressesOf(host, resolver());
        }),
      ),
  };
}
