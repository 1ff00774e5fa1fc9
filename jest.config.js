const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
const base = {
  // Nothing but tests is looked for, and those of all other folders are none: node_modules alone has a hundred thousand files.
  roots: ['<rootDir>/test'],
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  runtime: '<rootDir>/test/support/runtime.cjs',
  transform: {
    '\\.(html|css|(client|thread)\\.js)$': '<rootDir>/test/support/text.cjs',
    '^.+\\.(t|j)s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  // A package that is a module of ECMAScript alone, which jest can't require as Node.js does.
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};

module.exports = {
  // One more than there are processors: a third of the server's tests' time is waiting for time-outs that users have as well.
  maxWorkers: availableParallelism() + 1,
  // No test takes that long but on a machine that is busy with much else; one that does hangs.
  testTimeout: 60_000,
  testSequencer: '<rootDir>/test/support/sequencer.cjs',
  projects: [
    {
      ...base,
      displayName: 'server',
      testMatch: ['<rootDir>/test/server/**/*.test.ts'],
      globalSetup: '<rootDir>/test/server/support/written-setup.cjs',
      setupFiles: ['<rootDir>/test/server/support/written-capture.cjs'],
      globalTeardown: '<rootDir>/test/server/support/written-teardown.cjs',
    },
    {
      ...base,
      displayName: 'kit',
      runtime: '<rootDir>/test/support/kit-runtime.cjs',
      testMatch: ['<rootDir>/test/lib/**/*.test.ts', '<rootDir>/test/bin/**/*.test.ts'],
    },
  ],
};
