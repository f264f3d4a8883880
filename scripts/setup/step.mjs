import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const TOOLS = path.join(ROOT, '.certwright/tools');

/** No tool we start phones home, or asks for an update in the middle of a set-up. */
const QUIET = {
  CHECKPOINT_DISABLE: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
};

/** What stops a set-up: one sentence that says what to do. */
export class SetupError extends Error {}

/** Prints what is being done, and how long it took. */
export async function step(what, work) {
  const startedAt = performance.now();
  process.stdout.write(`setup      ${what} … `);
  try {
    await work();
    process.stdout.write(`${((performance.now() - startedAt) / 1000).toFixed(1)}s\n`);
  } catch (error) {
    process.stdout.write('failed\n');
    throw error;
  }
}

/** Runs a command; what it prints is shown only when it fails. @throws SetupError with `otherwise` */
export function run(command, args, { otherwise, cwd = ROOT, env = {} }) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...QUIET, ...env },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status === 0) return stdout;
  const said = `${stdout ?? ''}${stderr ?? ''}${error ? String(error) : ''}`.trim().split('\n').slice(-25).join('\n');
  throw new SetupError(`${said}\n\n${otherwise}`);
}

/** The first of the names on PATH, or null. */
export function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(existsSync) ?? null;
}

const digest = (files) => {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(readFileSync(path.join(ROOT, file)));
  return hash.digest('hex');
};

/** Whether a step was last done for these very files; `mark` remembers that it is. */
export function stamp(file, inputs) {
  const place = path.join(ROOT, file);
  const now = digest(inputs);
  return {
    isCurrent: () => existsSync(place) && readFileSync(place, 'utf8') === now,
    mark() {
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, now);
    },
  };
}
