// Brings a fresh clone to where it can run: packages, build, the test CA, and redis-server, Knot and Unbound with `--tests`.
// Plain Node without dependencies: it runs before there are any. Each step is skipped when it is done already.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { provideDnsperf } from './setup/dnsperf.mjs';
import { provideNameServers } from './setup/name-servers.mjs';
import { build, installPackages } from './setup/packages.mjs';
import { providePebble } from './setup/pebble.mjs';
import { provideRedis } from './setup/redis.mjs';
import { SetupError } from './setup/step.mjs';

/** Returns false, with one sentence on standard error, when something is missing that it can't get. */
export async function setUp({ tests, dnsperf = false }) {
  try {
    const [major, minor] = process.versions.node.split('.').map(Number);
    if (major < 20 || (major === 20 && minor < 19)) throw new SetupError(`Node.js 20.19 or newer is needed; this is ${process.version}.`);
    await installPackages();
    await build();
    await providePebble();
    if (tests) {
      await provideRedis();
      await provideNameServers();
    }
    if (dnsperf) await provideDnsperf();
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return false;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (!(await setUp({ tests: process.argv.includes('--tests') }))) process.exitCode = 1;
}
