/** Tests against real clients and daemons; test/system/run.sh installs them and runs this. Many of them wait for others most of their time: two at once. */
const { projects } = require('./jest.config.js');
const { displayName: _, globalSetup: _setup, globalTeardown: _teardown, setupFiles: _files, ...base } = projects[0];

/** @type {import('jest').Config} */
module.exports = { ...base, testMatch: ['<rootDir>/test/system/**/*.test.ts'], testTimeout: 300_000, maxWorkers: 2 };
