import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDebian, unpackFromDebian } from './debian.mjs';
import { onPath, SetupError, step, TOOLS } from './step.mjs';

/** What the tests run of each, and the Debian packages that it is in. */
const NEEDED = [
  { name: 'knot', programs: ['knotd', 'knotc', 'keymgr', 'kdig', 'knsupdate'], packages: ['knot', 'knot-dnsutils'] },
  { name: 'unbound', programs: ['unbound', 'unbound-control'], packages: ['unbound'] },
];

const otherwise = ({ name, programs }) =>
  `${name}, which the tests need, could not be fetched: install it and put ${programs.join(', ')} on PATH.`;

const isThere = ({ name, programs }) =>
  programs.every((program) => onPath(program)) ||
  programs.every((program) => ['sbin', 'bin'].some((folder) => existsSync(path.join(TOOLS, name, 'usr', folder, program))));

/** Knot DNS and Unbound for the tests, with their libraries, unpacked and not installed: Debian would start them. */
export async function provideNameServers() {
  for (const server of NEEDED.filter((one) => !isThere(one))) {
    if (!isDebian()) throw new SetupError(otherwise(server));
    await step(`fetching ${server.name}, for the tests`, () =>
      unpackFromDebian(server.name, server.packages, { withDependencies: true, otherwise: otherwise(server) }),
    );
  }
}
