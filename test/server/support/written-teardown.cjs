/** After the last test: no secret may be in anything that was written (see written.ts). */
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const { leaksIn } = require('./written-leaks.cjs');

module.exports = () => {
  const folder = process.env.CDK_FTPS_WRITTEN;
  const all = (prefix) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  const secrets = all('secrets-').flatMap((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
  const written = all('written-').join('\n');
  rmSync(folder, { recursive: true, force: true });
  const leaks = leaksIn(written, secrets);
  if (leaks.length > 0) throw new Error(`secrets were written during the tests:\n${leaks.join('\n')}`);
  process.stdout.write(`No secret (${new Set(secrets).size} looked for) in ${Math.round(written.length / 1024)} KiB that the server wrote.\n`);
};
