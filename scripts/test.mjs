// `npm test`: sets up what is missing, then every check there is. With arguments: jest alone, with those arguments.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT } from './setup/step.mjs';

const bin = (name) => path.join(ROOT, 'node_modules', ...name.split('/'));

const CHECKS = [
  ['type check', ['typescript/bin/tsc', '-p', 'tsconfig.json']],
  ['lint', ['eslint/bin/eslint.js', '.']],
  ['import law', ['dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', 'apps', 'packages', 'e2e']],
];

const jestArguments = process.argv.slice(2);

process.exitCode = (await main()) ? 0 : 1;

async function main() {
  if (!(await setUp({ tests: true }))) return false;
  const isWhole = jestArguments.length === 0;
  if (isWhole && !CHECKS.every(([name, [script, ...args]]) => passes(name, script, args))) return false;
  return passes('tests', 'jest/bin/jest.js', isWhole ? [] : jestArguments);
}

function passes(name, script, args) {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [bin(script), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, CHECKPOINT_DISABLE: '1' },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)`);
  return status === 0;
}
