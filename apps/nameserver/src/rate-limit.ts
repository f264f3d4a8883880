export interface RateLimit {
  /** Takes one from the budget of where a datagram says it comes from; false: it is spent. */
  take(address: string, now: number): boolean;
}

/** Prefixes that are remembered at a time: an attacker who has more of them has no need of us. */
const MAX_PREFIXES = 100_000;

/**
 * Answers over UDP to one network, a second: more than any resolver asks, and little for whoever's address was put on the datagrams.
 * A bucket for each /24 and each /56, that holds one second's worth.
 */
export function createRateLimit(perSecond: number): RateLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(address, now) {
      const prefix = prefixOf(address);
      const known = buckets.get(prefix);
      const left = Math.min(perSecond, known ? known.left + ((now - known.at) / 1_000) * perSecond : perSecond);
      if (known) buckets.delete(prefix);
      else if (buckets.size >= MAX_PREFIXES) forgetOldest(buckets);
      const isAllowed = left >= 1;
      buckets.set(prefix, { left: isAllowed ? left - 1 : left, at: now });
      return isAllowed;
    },
  };
}

/** A Map keeps the order in which keys were set: the first has been quiet for longest. */
function forgetOldest(buckets: Map<string, unknown>): void {
  const [oldest] = buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+)\.\d+$/i;

/** Of an address as a socket tells it. */
export function prefixOf(address: string): string {
  if (!address.includes(':')) return address.slice(0, address.lastIndexOf('.'));
  const [, mapped] = MAPPED.exec(address) ?? [];
  return mapped ?? ipv6Prefix(address.split('%')[0] ?? address);
}

/** The first 56 bits, in hexadecimal. */
function ipv6Prefix(address: string): string {
  const [before = '', after = ''] = address.split('::');
  const left = before.split(':').filter(Boolean);
  const right = after.split(':').filter(Boolean);
  const zeros = address.includes('::') ? Array.from({ length: 8 - left.length - right.length }, () => '0') : [];
  const groups = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0'));
  return groups.slice(0, 4).join('').slice(0, 14);
}
