import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDebian, unpackFromDebian } from './debian.mjs';
import { onPath, SetupError, step, TOOLS } from './step.mjs';

const FETCHED = path.join(TOOLS, 'pebble/usr/bin/pebble');

const OTHERWISE =
  'Pebble, the test CA, could not be fetched: install Pebble 2.10 or newer and put it on PATH (or its path in PEBBLE), ' +
  'set ACME_DIRECTORY to a CA of yours, or use docker compose (profile demo, see docker-compose.yml).';

/** Pebble, the test CA: on PATH, or from the Debian release that has one new enough. */
export async function providePebble() {
  if (process.env.PEBBLE || process.env.ACME_DIRECTORY || onPath('pebble') || existsSync(FETCHED)) return;
  if (!isDebian()) throw new SetupError(OTHERWISE);
  await step('fetching Pebble, the test CA', () =>
    unpackFromDebian('pebble', ['pebble'], { suite: 'forky', withDependencies: false, otherwise: OTHERWISE }),
  );
}
