import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDebian, unpackFromDebian } from './debian.mjs';
import { onPath, SetupError, step, TOOLS } from './step.mjs';

const FETCHED = path.join(TOOLS, 'redis/usr/bin/redis-server');

const OTHERWISE =
  'redis-server, which the tests need, could not be fetched: install Redis 7 or Valkey and put it on PATH ' +
  '(or its path in REDIS_SERVER).';

/** redis-server for the tests, with its libraries, unpacked and not installed: Debian would start one. */
export async function provideRedis() {
  if (process.env.REDIS_SERVER || onPath('redis-server', 'valkey-server') || existsSync(FETCHED)) return;
  if (!isDebian()) throw new SetupError(OTHERWISE);
  await step('fetching redis-server, for the tests', () =>
    // redis-server is a link to a program of redis-tools.
    unpackFromDebian('redis', ['redis-server', 'redis-tools'], { withDependencies: true, otherwise: OTHERWISE }),
  );
}
