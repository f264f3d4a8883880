import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where `npm run setup` puts what it fetches, seen from the repository's root. */
const TOOLS = '.certwright/tools';

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
 * The Redis or Valkey server: `REDIS_SERVER`, else the one on PATH, else the one that the tests' set-up fetched, with the
 * libraries that were fetched beside it.
 * @throws Error with what to do when there is none
 */
export function findRedis(env: NodeJS.ProcessEnv = process.env): { executable: string; env: Record<string, string> } {
  const executable = find(env, 'REDIS_SERVER', ['redis-server', 'valkey-server'], 'redis/usr/bin/redis-server');
  if (executable === undefined) {
    throw new Error('redis-server was not found: run `npm test`, or install Redis 7 or Valkey and put it on PATH.');
  }
  const libraries = join(dirname(dirname(executable)), 'lib');
  const isFetched = executable.includes(TOOLS) && existsSync(libraries);
  return { executable, env: isFetched ? { LD_LIBRARY_PATH: libraryFolders(libraries).join(delimiter) } : {} };
}

function find(env: NodeJS.ProcessEnv, variable: string, names: string[], fetched: string): string | undefined {
  const given = env[variable];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`${variable} is set to ${given}, which is not an executable file.`);
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) => onPath.map((folder) => join(folder, name)));
  return [...candidates, ...above(__dirname, join(TOOLS, fetched))].find(isExecutable);
}

/** Debian's libraries lie in a folder named for the architecture. */
const libraryFolders = (libraries: string): string[] =>
  [libraries, ...['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triplet) => join(libraries, triplet))].filter((folder) =>
    existsSync(folder),
  );

/** `path` in `folder` and in all folders above it. */
function above(folder: string, path: string): string[] {
  const parent = dirname(folder);
  return [join(folder, path), ...(parent === folder ? [] : above(parent, path))];
}

function isExecutable(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && (found.mode & 0o111) !== 0;
}
