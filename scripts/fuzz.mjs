// `npm run fuzz [-- --seconds 60 --seed 1]`: hostile bytes for the DNS client (packages/dns/src/fuzz), then the table.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setUp } from './setup.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('--seconds takes a number above 0, --seed an integer.');
  process.exit(2);
}
if (!(await setUp({ tests: false }))) process.exit(1);

setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc');
const require = createRequire(import.meta.url);
require('esbuild-register');
const { runFuzz } = require('../packages/dns/src/fuzz/run.ts');

const report = await runFuzz({ seed, seconds, inputs: Infinity, queryEvery: 200 });
const rows = {
  seed,
  inputs: report.inputs,
  'queries over sockets': report.queries,
  seconds: report.seconds.toFixed(1),
  'untyped errors': report.untyped.length,
  hangs: report.hangs.length,
  'slowest decode in ms': report.slowestMs.toFixed(1),
  'memory grown by MB': report.grownMb.toFixed(1),
};
for (const [what, figure] of Object.entries(rows)) console.log(`${what.padEnd(22)}${String(figure).padStart(14)}`);
console.log(`what came of them     ${Object.entries(report.states).map(([state, count]) => `${state} ${count}`).join(', ')}`);
for (const { error, bytes } of report.untyped) console.log(error, bytes);
for (const bytes of report.hangs) console.log(`slow: ${bytes}`);
process.exitCode = report.untyped.length + report.hangs.length === 0 ? 0 : 1;
