// `npm run bench [-- --short --only issuance]`: sets up what is missing, then measures (bench/main.ts).
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

const given = process.argv.slice(2);
const hasNameServer = !given.some((one) => one.startsWith('--only')) || given.some((one) => /^(--only=)?nameserver$/.test(one));
if (!(await setUp({ tests: true, dnsperf: hasNameServer }))) process.exit(1);
const { status } = spawnSync(
  process.execPath,
  ['--conditions=@certwright/source', '-r', 'esbuild-register', path.join(ROOT, 'bench/main.ts'), ...given],
  { cwd: ROOT, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
