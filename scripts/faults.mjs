// `npm run test:faults [-- numbers …]`: every fault test at full scale, then the table. With --short as `npm test` runs them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

const COLUMNS = [
  ['test', 62, ({ name }) => name],
  ['injected', 8, ({ injected }) => injected],
  ['orders', 6, ({ orders }) => orders],
  ['valid', 5, ({ valid }) => valid],
  ['invalid', 26, ({ invalid = {} }) => Object.entries(invalid).map(([code, count]) => `${count} ${code}`).join(', ')],
  ['certs', 5, ({ certificates }) => certificates],
  ['lost', 4, ({ lostKeys }) => lostKeys],
  ['twice', 5, ({ duplicates }) => duplicates],
  ['left', 4, ({ leftBehind }) => leftBehind],
  ['I1-I6', 7, ({ failed, violations = [] }) => (failed ? 'FAILED' : violations.length === 0 ? 'hold' : 'broken')],
  ['s', 4, ({ seconds }) => seconds],
];

const numbers = process.argv.slice(2).filter((one) => /^\d+$/.test(one));
const isShort = process.argv.includes('--short');
if (!(await setUp({ tests: true }))) process.exit(1);
const folder = mkdtempSync(path.join(tmpdir(), 'certwright-faults-'));
const table = path.join(folder, 'table.jsonl');
const { status } = spawnSync(
  process.execPath,
  [path.join(ROOT, 'node_modules/jest/bin/jest.js'), '--selectProjects', 'faults', '--runInBand'],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      CERTWRIGHT_FAULTS_TABLE: table,
      ...(!isShort && { FAULTS: 'full' }),
      ...(numbers.length > 0 && { FAULT_TESTS: numbers.join() }),
    },
  },
);
const rows = existsSync(table) ? readFileSync(table, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [];
rmSync(folder, { recursive: true });
console.log(`\n${COLUMNS.map(([title, width]) => title.padEnd(width)).join('  ')}`);
for (const row of rows.sort((a, b) => a.number - b.number)) {
  console.log(COLUMNS.map(([, width, read]) => String(read(row) ?? '').padEnd(width).slice(0, width)).join('  '));
}
const real = rows.filter(({ number }) => number !== 0);
const sum = (field) => real.reduce((total, row) => total + (row[field] ?? 0), 0);
console.log(
  `\n${real.filter(({ failed }) => !failed).length} of ${real.length} hold; ${sum('injected')} kills and faults, ${sum('orders')} orders, ` +
    `${sum('certificates')} certificates, ${sum('lostKeys')} lost keys, ${sum('duplicates')} duplicates`,
);
process.exitCode = status === 0 ? 0 : 1;
