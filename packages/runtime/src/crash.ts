import type { CrashAt } from './schema';

/** What a process under test does where it was told to: ends as a crash would, or stands still. Null: nothing is to happen. */
export function crashHandler(at: CrashAt | null): ((point: string, orderId: string) => void) | null {
  if (!at) return null;
  let seen = 0;
  return (point, orderId) => {
    if (point !== at.point || (at.orderId !== null && at.orderId !== orderId)) return;
    seen += 1;
    if (seen !== at.nth) return;
    if (at.blockMs === null) process.kill(process.pid, 'SIGKILL');
    // SIGKILL is delivered at once, but not in this very instruction: no further line may run.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, at.blockMs ?? 10_000);
  };
}
