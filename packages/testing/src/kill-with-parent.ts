import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Has `pid` killed as soon as this process is gone, however it went (kill -9 too): a shell waits for the end of a pipe
 * that only we hold open. `release` when the process has ended by itself, so that no other one with its id is hit.
 */
export function killWithParent(pid: number): { release(): void } {
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$1" 2>/dev/null', 'guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // or Ctrl-C would end the guard before us
  });
  // Without /bin/sh there is no guard; stopping in order works all the same.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  // A pipe is a socket, which Node's types don't say.
  (guard.stdin as Socket).unref();
  return {
    release() {
      guard.kill('SIGKILL');
      guard.stdin.destroy();
    },
  };
}
