// npm start: installs, builds, synthesizes both environments, and runs the very server that the image gets, on this machine.
// usage: npm start [-- --self-test] [-- --explicit-port N --implicit-port N --passive-ports LOW-HIGH]
import './ensure-installed.mjs';
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const { run } = await import('./local/run.mjs');

step('Bundling the server', process.execPath, ['tools/build.mjs', '--quiet']);
// No look-ups, no notices, no telemetry: synthesis talks to nobody.
step(
  'Synthesizing staging and prod into cdk.out',
  process.execPath,
  ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '--no-notices', '--no-version-reporting', '--no-path-metadata'],
  {
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    AWS_EC2_METADATA_DISABLED: 'true',
  },
);
console.log('');
step(undefined, process.execPath, ['node_modules/tsx/dist/cli.mjs', 'bin/summary.ts', 'cdk.out'], {}, 'inherit');
process.exitCode = await run(process.argv.slice(2));

function step(text, command, args, env = {}, output = 'pipe') {
  if (text) console.log(`${text} …`);
  const { status, stdout, stderr } = spawnSync(command, args, { stdio: ['ignore', output, output], env: { ...process.env, ...env }, encoding: 'utf8' });
  if (status === 0) return;
  console.error(stdout ?? '', stderr ?? '');
  process.exit(status ?? 1);
}
