// `npm run fuzz [-- --seconds 60 --seed 1]`: hostile bytes for the DNS client (packages/dns/src/fuzz) and for our name server
// (apps/nameserver/src/fuzz), so many seconds each, then a table for each.
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
const client = require('../packages/dns/src/fuzz/run.ts');
const server = require('../apps/nameserver/src/fuzz/run.ts');

const ofClient = await client.runFuzz({ seed, seconds, inputs: Infinity, queryEvery: 200 });
show('DNS client', ofClient, ofClient.states, { 'queries over sockets': ofClient.queries, 'memory grown by MB': ofClient.grownMb.toFixed(1) });
const ofServer = await server.runFuzz({ seed, seconds, inputs: Infinity, socketsEvery: 500 });
show('name server', ofServer, ofServer.outcomes, { 'inputs over sockets': ofServer.overSockets });

function show(what, report, outcomes, more) {
  const rows = {
    seed,
    inputs: report.inputs,
    seconds: report.seconds.toFixed(1),
    'untyped errors': report.untyped.length,
    hangs: report.hangs.length,
    'slowest input in ms': report.slowestMs.toFixed(1),
    ...more,
  };
  console.log(`\n${what}`);
  for (const [name, figure] of Object.entries(rows)) console.log(`${name.padEnd(22)}${String(figure).padStart(14)}`);
  console.log(`what came of them     ${Object.entries(outcomes).map(([outcome, count]) => `${outcome} ${count}`).join('; ')}`);
  for (const { error, bytes } of report.untyped) console.log(error, bytes);
  for (const bytes of report.hangs) console.log(`slow: ${bytes}`);
  if (report.untyped.length + report.hangs.length > 0) process.exitCode = 1;
}
