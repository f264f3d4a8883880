import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { killWithParent } from './kill-with-parent';

const START_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 10_000;

export interface DnsProgram {
  executable: string;
  env: NodeJS.ProcessEnv;
}

/**
 * A program of Knot DNS or of Unbound: the one on PATH, else the one that the tests' set-up fetched, with the libraries
 * that were fetched beside it.
 * @throws Error with what to do when there is none
 */
export function findDnsProgram(tool: 'knot' | 'unbound', name: string): DnsProgram {
  const onPath = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean).map((folder) => path.join(folder, name));
  const installed = onPath.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  if (installed !== undefined) return { executable: installed, env: process.env };
  for (let folder = __dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const fetched = path.join(folder, '.certwright/tools', tool);
    const executable = ['usr/sbin', 'usr/bin'].map((place) => path.join(fetched, place, name)).find(existsSync);
    if (executable === undefined) continue;
    const libraries = ['usr/lib', 'lib'].flatMap((place) =>
      ['', 'x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triplet) => path.join(fetched, place, triplet)),
    );
    return { executable, env: { ...process.env, LD_LIBRARY_PATH: libraries.filter(existsSync).join(path.delimiter) } };
  }
  throw new Error(`${name} was not found: run \`npm test\`, or install ${tool} and put ${name} on PATH.`);
}

/** What a program prints. @throws Error with what it complains about */
export async function runDnsProgram({ executable, env }: DnsProgram, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(executable, args, { env, timeout: COMMAND_TIMEOUT_MS });
  return stdout;
}

/**
 * A server in the foreground, that ends with this process. It is there as soon as `isReady` doesn't throw.
 * @throws Error with the end of its log when it doesn't start
 */
export async function startDnsServer(
  program: DnsProgram,
  args: string[],
  { log, isReady }: { log: string; isReady: () => Promise<unknown> },
): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(program.executable, args, { env: program.env, stdio: 'ignore', detached: true });
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
