import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, run, stamp, step } from './step.mjs';

/** npm packages, as the lock has them. */
export async function installPackages() {
  const installed = stamp('node_modules/.certwright-lock', ['package-lock.json']);
  if (installed.isCurrent()) return;
  await step('installing npm packages', () => {
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], {
      otherwise: 'npm could not install the packages: check the network and the npm registry, then try again.',
    });
    installed.mark();
  });
}

/** Prisma's client, and every workspace's dist folder; turbo skips what has not changed. */
export async function build() {
  const isBuilt = existsSync(path.join(ROOT, 'apps/dev/dist/main.js'));
  const otherwise = 'The build failed: the messages above say where.';
  const turbo = () => run(process.execPath, ['node_modules/turbo/bin/turbo', 'run', 'build', '--output-logs=errors-only'], { otherwise });
  if (isBuilt) turbo();
  else await step('building', turbo);
}
