import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Tool } from './find-tool';
import { killWithParent } from './kill-with-parent';

const START_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 10_000;

/** What a program prints. @throws Error with what it complains about */
export async function runDnsProgram({ executable, env }: Tool, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(executable, args, { env: { ...process.env, ...env }, timeout: COMMAND_TIMEOUT_MS });
  return stdout;
}

/**
 * A server in the foreground, that ends with this process. It is there as soon as `isReady` doesn't throw.
 * @throws Error with the end of its log when it doesn't start
 */
export async function startDnsServer(
  program: Tool,
  args: string[],
  { log, isReady }: { log: string; isReady: () => Promise<unknown> },
): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(program.executable, args, { env: { ...process.env, ...program.env }, stdio: 'ignore', detached: true });
  child.on('error', () => undefined); // without a process id, the next line says it
  if (child.pid === undefined) throw new Error(`${program.executable} could not be started`);
  const guard = killWithParent(child.pid);
  let hasExited = false;
  const exited = once(child, 'exit').then(() => {
    hasExited = true;
    guard.release();
  });
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    child.kill(signal); // does nothing when it has ended already
    await exited;
  };
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await isReady();
      return { pid: child.pid, stop: () => stop() };
    } catch (cause) {
      if (!hasExited && performance.now() < giveUpAt) {
        await sleep(20);
        continue;
      }
      await stop('SIGKILL');
      throw new Error(`${path.basename(program.executable)} did not start: ${endOf(log, 10)}`, { cause });
    }
  }
}

/** The last lines of a log, if there is one. */
export const endOf = (log: string, lines: number): string =>
  existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-lines).join('\n') : '';
