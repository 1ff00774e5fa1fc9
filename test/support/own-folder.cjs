/**
 * Temporary files lie in a folder of the process, which is emptied after each test file: what the CDK synthesizes into without being told where, and
 * what a test leaves when it fails, would stay for good, gigabytes of it after some runs.
 */
const { chmodSync, mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { TestEnvironment } = require('jest-environment-node');

const folder = mkdtempSync(join(tmpdir(), 'ftps-jest-'));
// Daemons that give up root find their files below it.
chmodSync(folder, 0o711);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    process.env.TMPDIR = folder;
    super(config, context);
  }

  async teardown() {
    await super.teardown();
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
};
