/**
 * Each test file has a folder of its own for temporary files, which goes when the file is over: what the CDK synthesizes into without being told where, and
 * what a test leaves when it fails, would stay for good, gigabytes of it after some runs.
 */
const { chmodSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  constructor(config, context) {
    const outer = process.env.TMPDIR;
    const folder = mkdtempSync(join(tmpdir(), 'ftps-jest-'));
    // Daemons that give up root find their files below it.
    chmodSync(folder, 0o711);
    process.env.TMPDIR = folder;
    super(config, context);
    this.leaveFolder = () => {
      if (outer === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = outer;
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    };
  }

  async teardown() {
    await super.teardown();
    this.leaveFolder();
  }
};
