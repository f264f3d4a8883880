/** The import law of docs/ARCHITECTURE.md. */

const ADAPTERS = '^packages/(jobs|db|acme|dns)/';
const TEST_FILES = '\\.test\\.ts$';

/** A package that may import only core (and its own files). */
const onlyCore = (name) => ({
  name: `${name}-imports-core-only`,
  severity: 'error',
  from: { path: `^packages/${name}/src`, pathNot: TEST_FILES },
  to: { path: '^(packages|apps)/', pathNot: `^packages/(core|${name})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^packages/core/src', pathNot: TEST_FILES },
      to: { path: '^(packages|apps)/', pathNot: '^packages/core/' },
    },
    {
      name: 'core-does-no-io',
      severity: 'error',
      from: { path: '^packages/core/src', pathNot: TEST_FILES },
      to: { path: 'node_modules/', pathNot: 'node_modules/tldts' },
    },
    {
      name: 'runtime-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^packages/runtime/src', pathNot: TEST_FILES },
      to: { path: '^(packages|apps)/', pathNot: '^packages/runtime/' },
    },
    ...['jobs', 'db', 'acme', 'dns'].map(onlyCore),
    {
      name: 'adapters-only-where-apps-are-wired',
      severity: 'error',
      from: {
        path: '^apps/(api|worker)/src',
        pathNot: `(${TEST_FILES}|/(wire|main|bull-board|run-workers|schedulers|retry)\\.ts$)`,
      },
      to: { path: ADAPTERS },
    },
    {
      name: 'apps-do-not-import-each-other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'testing-only-in-tests-and-dev',
      severity: 'error',
      from: { pathNot: `(${TEST_FILES}|^packages/testing/|^apps/dev/|^e2e/|^bench/)` },
      to: { path: '^packages/testing/' },
    },
    {
      name: 'not-through-the-own-index',
      comment: 'A barrel imported from inside its package makes cycles.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/.+', pathNot: 'src/index\\.ts$' },
      to: { path: '^packages/$1/src/index\\.ts$' },
    },
    {
      name: 'declared-in-package-json',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src', pathNot: TEST_FILES },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-development-dependency-at-run-time',
      comment: 'The container has none of them.',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src', pathNot: TEST_FILES },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/dist/|/generated/)' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@certwright/source', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
