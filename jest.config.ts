/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

type Project = Exclude<NonNullable<Config['projects']>[number], string>;

const project = (displayName: string, settings: Project): Project => ({
  displayName,
  rootDir: __dirname,
  testEnvironment: '<rootDir>/scripts/leak-environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['@certwright/source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.certwright/'],
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  ...settings,
});

/** One PostgreSQL for the run; it loads the built packages, since jest resolves no export conditions there. */
const services: Project = {
  globalSetup: '<rootDir>/packages/testing/src/jest-global-setup.ts',
  globalTeardown: '<rootDir>/packages/testing/src/jest-global-teardown.ts',
};

const config: Config = {
  testTimeout: 30_000,
  // What a test file leaks fails it (scripts/leak-environment.cjs); it must not hang the run on top.
  forceExit: true,
  projects: [
    // no service, no process: milliseconds
    project('unit', {
      testMatch: ['<rootDir>/{apps,packages}/*/src/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.int\\.test\\.ts$', '/dist/'],
    }),
    // one part of ours against a real service: PostgreSQL, Redis, Pebble, DNS over sockets
    project('integration', { ...services, testMatch: ['<rootDir>/{apps,packages}/*/src/**/*.int.test.ts'] }),
    // the built processes together
    project('e2e', { ...services, testMatch: ['<rootDir>/e2e/*.test.ts'] }),
    // what must hold when things break: docs/faults.md
    project('faults', { ...services, testMatch: ['<rootDir>/e2e/faults/*.test.ts'] }),
  ],
};

export default config;
