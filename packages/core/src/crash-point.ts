/** The places in an order's life, in their order, at which a fault test can end the process. */
export const CRASH_POINTS = [
  'after-order-created', // in the API: committed, not yet enqueued
  'after-claim',
  'after-new-order-sent',
  'after-order-placed',
  'before-next-job-added',
  'after-validating-stored',
  'after-challenge-sent',
  'after-verdicts-read',
  'after-ready-stored',
  'after-key-stored',
  'after-finalize-sent',
  'after-chain-downloaded',
  'after-certificate-stored',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

type OnReached = (point: CrashPoint, orderId: string) => void;

const NOTHING: OnReached = () => undefined;
let onReached = NOTHING;

/** Does nothing at all unless the process was started to die here (`CRASH_AT`). */
export const crashPoint = (point: CrashPoint, orderId: string): void => onReached(point, orderId);

/** For the composition root of a process under test. Null: nothing happens any more. */
export function armCrashPoints(reached: OnReached | null): void {
  onReached = reached ?? NOTHING;
}
