/** Anti-replay nonces that came with answers (RFC 8555 section 6.5), the freshest handed out first. */
export interface NoncePool {
  add(nonce: string): void;
  take(): string | null;
}

/**
 * Bounded, because a CA forgets nonces too: at most `max` are kept (the oldest go), each for `maxAgeMs`.
 * `now` is a monotonic clock in milliseconds.
 */
export function createNoncePool({
  max = 64,
  maxAgeMs = 60_000,
  now = () => performance.now(),
}: { max?: number; maxAgeMs?: number; now?: () => number } = {}): NoncePool {
  let kept: { nonce: string; since: number }[] = [];
  return {
    add(nonce) {
      kept.push({ nonce, since: now() });
      if (kept.length > max) kept.shift();
    },
    take() {
      const freshest = kept.pop();
      if (freshest === undefined) return null;
      if (now() - freshest.since < maxAgeMs) return freshest.nonce;
      kept = []; // all others are older still
      return null;
    },
  };
}
