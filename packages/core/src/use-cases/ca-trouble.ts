import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelayMs } from '../order';
import type { AcmeProblemDocument, Problem, ProblemCode } from '../problem';
import { reorder, terminal } from '../problem';

/** How soon to ask the CA again when it doesn't say (`Retry-After`), in milliseconds: as long again as it has taken so far. */
export const caPollMs = (elapsedMs: number): number => Math.min(Math.max(elapsedMs, FIRST_POLL_MS), 10_000);

/** Before the CA is asked for the first time what became of a request: a job of its own for that would cost more than the wait. */
export const firstPause = (): Promise<void> => sleep(FIRST_POLL_MS);

const FIRST_POLL_MS = 250;

const CA_INTERNAL = 'urn:ietf:params:acme:error:serverInternal';

/**
 * An order or authorization that the CA has ended for good: placed anew where the CA itself broke (RFC 8555 section 6.7,
 * `serverInternal`), failed with the CA's own words where it said no.
 */
export function ended(
  code: ProblemCode,
  error: AcmeProblemDocument | null,
  { fallback, generation }: { fallback: string; generation: number },
): Problem {
  const detail = error?.detail ?? fallback;
  const options = error ? { acme: error } : {};
  if (error?.type !== CA_INTERNAL) return terminal(code, detail, options);
  return reorder(code, detail, { ...options, retryAfterMs: retryDelayMs(generation * 7) });
}
