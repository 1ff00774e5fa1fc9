/** Before the first test: a folder for what will be written (see written.ts). */
const { mkdtempSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

module.exports = () => {
  process.env.CDK_FTPS_WRITTEN = mkdtempSync(join(tmpdir(), 'ftps-written-'));
};
