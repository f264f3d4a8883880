// `npm test`: sets up what is missing, then every check there is. With arguments: jest alone, with those arguments.
// The last line is always `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

const CHECKS = [
  ['type check', 'typescript/bin/tsc', ['-p', 'tsconfig.json']],
  ['lint', 'eslint/bin/eslint.js', ['.']],
  ['import law', 'dependency-cruiser/bin/dependency-cruise.mjs', ['--config', '.dependency-cruiser.cjs', 'apps', 'packages', 'e2e', 'bench']],
];

const jestArguments = process.argv.slice(2);

/** Tests mostly wait, so two or three files go side by side; fault tests do so by themselves. */
const JEST_RUNS =
  jestArguments.length > 0
    ? [['tests', jestArguments]]
    : [
        ['unit and integration tests', ['--selectProjects', 'unit', 'integration', '--maxWorkers', '2']],
        ['end-to-end tests', ['--selectProjects', 'e2e', '--maxWorkers', '3']],
        ['fault tests', ['--selectProjects', 'faults', '--maxWorkers', '1']],
      ];

const { isFine, passed = 0, failed = 1 } = await main();
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = isFine ? 0 : 1;

async function main() {
  if (!(await setUp({ tests: true }))) return { isFine: false };
  const checks = jestArguments.length === 0 ? CHECKS : [];
  if (!checks.every((check) => passes(...check))) return { isFine: false };
  const results = JEST_RUNS.map(([name, args]) => runTests(name, args));
  const sum = (field) => results.reduce((total, one) => total + (one[field] ?? 0), 0);
  return { isFine: results.every((one) => one.isFine), passed: sum('passed'), failed: sum('failed') };
}

function runTests(name, args) {
  const folder = mkdtempSync(path.join(tmpdir(), 'certwright-results-'));
  try {
    const results = path.join(folder, 'results.json');
    const isFine = passes(name, 'jest/bin/jest.js', ['--json', `--outputFile=${results}`, ...args]);
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(results, 'utf8'));
    return { isFine, passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { isFine: false, failed: 1 }; // jest ended before it had any result, and has said why
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function passes(name, script, args) {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [path.join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, CHECKPOINT_DISABLE: '1' },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)`);
  return status === 0;
}
