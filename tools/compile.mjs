// Compiles the constructs with jsii: dist/lib for Node, and .jsii, which describes the public API to every other language.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const folder of ['lib', 'server']) rmSync(join(root, 'dist', folder), { recursive: true, force: true }); // nothing of an earlier build
const silenced = [
  'language-compatibility/member-name-conflicts-with-type-name', // of a property, in C# alone, for which nothing is packed
  'metadata/missing-dev-dependency', // compiled with a newer CDK than the oldest that is supported, which test/system/languages synthesizes with
];
const flags = [...silenced.flatMap((code) => ['--silence-warnings', code]), '--fail-on-warnings'];
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/jsii/bin/jsii'), ...flags], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' },
});
process.exit(status ?? 1);
