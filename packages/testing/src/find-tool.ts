import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where `npm run setup` puts what it fetches, seen from the repository's root. */
const TOOLS = '.certwright/tools';

export interface Tool {
  executable: string;
  /** What its environment needs beside our own. */
  env: Record<string, string>;
}

/**
 * The Pebble executable: `PEBBLE`, else the one on PATH, else the one that `npm run setup` fetched.
 * @throws Error with what to do when there is none
 */
export function findPebble(env: NodeJS.ProcessEnv = process.env): string {
  const found = find(env, 'PEBBLE', ['pebble'], 'pebble/usr/bin/pebble');
  if (found !== undefined) return found;
  throw new Error(
    'Pebble, the test CA, was not found: run `npm run setup`, or install Pebble 2.10 or newer and put it on PATH.',
  );
}

/**
 * The Redis or Valkey server: `REDIS_SERVER`, else the one on PATH, else the one that the tests' set-up fetched.
 * @throws Error with what to do when there is none
 */
export function findRedis(env: NodeJS.ProcessEnv = process.env): Tool {
  const executable = find(env, 'REDIS_SERVER', ['redis-server', 'valkey-server'], 'redis/usr/bin/redis-server');
  if (executable !== undefined) return withLibraries(executable);
  throw new Error('redis-server was not found: run `npm test`, or install Redis 7 or Valkey and put it on PATH.');
}

/**
 * A program of Knot DNS or of Unbound: the one on PATH, else the one that the tests' set-up fetched.
 * @throws Error with what to do when there is none
 */
export function findDnsProgram(tool: 'knot' | 'unbound', name: string, env: NodeJS.ProcessEnv = process.env): Tool {
  const executable = find(env, null, [name], `${tool}/usr/sbin/${name}`, `${tool}/usr/bin/${name}`);
  if (executable !== undefined) return withLibraries(executable);
  throw new Error(`${name} was not found: run \`npm test\`, or install ${tool} and put ${name} on PATH.`);
}

/**
 * dnsperf: the one on PATH, else the one that the benchmark's set-up fetched.
 * @throws Error with what to do when there is none
 */
export function findDnsperf(env: NodeJS.ProcessEnv = process.env): Tool {
  const executable = find(env, null, ['dnsperf'], 'dnsperf/usr/bin/dnsperf');
  if (executable !== undefined) return withLibraries(executable);
  throw new Error('dnsperf was not found: run `npm run bench -- --only nameserver`, or install it and put it on PATH.');
}

function find(env: NodeJS.ProcessEnv, variable: string | null, names: string[], ...fetched: string[]): string | undefined {
  const given = variable === null ? undefined : env[variable];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`${variable} is set to ${given}, which is not an executable file.`);
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) => onPath.map((folder) => join(folder, name)));
  return [...candidates, ...fetched.flatMap((one) => above(__dirname, join(TOOLS, one)))].find(isExecutable);
}

/** With the libraries that were fetched beside it: Debian has them in folders named for the architecture. */
function withLibraries(executable: string): Tool {
  const [root, rest] = executable.split(/(?<=\.certwright\/tools\/[^/]+)\//);
  if (root === undefined || rest === undefined) return { executable, env: {} };
  const folders = ['usr/lib', 'lib'].flatMap((place) =>
    ['', 'x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triplet) => join(root, place, triplet)),
  );
  return { executable, env: { LD_LIBRARY_PATH: folders.filter(existsSync).join(delimiter) } };
}

/** `path` in `folder` and in all folders above it. */
function above(folder: string, path: string): string[] {
  const parent = dirname(folder);
  return [join(folder, path), ...(parent === folder ? [] : above(parent, path))];
}

function isExecutable(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && (found.mode & 0o111) !== 0;
}
