import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDebian, unpackFromDebian } from './debian.mjs';
import { onPath, SetupError, step, TOOLS } from './step.mjs';

const FETCHED = path.join(TOOLS, 'dnsperf/usr/bin/dnsperf');

const OTHERWISE = 'dnsperf, which asks the questions in `npm run bench -- --only nameserver`, could not be fetched: install it and put it on PATH.';

/** dnsperf for the benchmark of the name server, with its libraries, unpacked and not installed. */
export async function provideDnsperf() {
  if (onPath('dnsperf') || existsSync(FETCHED)) return;
  if (!isDebian()) throw new SetupError(OTHERWISE);
  await step('fetching dnsperf, for the benchmark', () =>
    unpackFromDebian('dnsperf', ['dnsperf'], { withDependencies: true, otherwise: OTHERWISE }),
  );
}
