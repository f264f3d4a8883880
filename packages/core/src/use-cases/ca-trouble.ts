import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelayMs } from '../order';
import type { AcmeProblemDocument, Problem, ProblemCode } from '../problem';
import { reorder, terminal } from '../problem';

/** How soon to ask the CA again when it doesn't say (`Retry-After`), in milliseconds: as long again as it has taken so far. */
export const caPollMs = (elapsedMs: number): number => Math.min(Math.max(elapsedMs, FIRST_POLL_MS), 10_000);

/** Before the CA is asked for the first time what became of a request: a job of its own for that would cost more than the wait. */
export const firstPause = (): Promise<void> => sleep(FIRST_POLL_MS);

const FIRST_POLL_MS = 250;

/** The CA itself broke, or had no answer from DNS where we have just had one: it says nothing about the domain. */
const NOT_A_NO = ['serverInternal', 'dns', 'connection'].map((type) => `urn:ietf:params:acme:error:${type}`);

/**
 * An order or authorization that the CA has ended for good: placed anew where the CA couldn't find out (RFC 8555 section 6.7), failed
 * with the CA's own words where it said no. `costsNobody`: the next order's value is published without anybody doing anything, so that
 * one more attempt is worth it whatever the CA said.
 */
export function ended(
  code: ProblemCode,
  error: AcmeProblemDocument | null,
  { what, generation, costsNobody = false }: { what: string; generation: number; costsNobody?: boolean },
): Problem {
  const detail = error ? `${what}: ${error.detail}` : `${what}, without a reason.`;
  const options = error ? { acme: error } : {};
  const isNo = !error || !(costsNobody || NOT_A_NO.includes(error.type));
  if (isNo) return terminal(code, detail, options);
  return reorder(code, detail, { ...options, retryAfterMs: retryDelayMs(generation * 7) });
}
