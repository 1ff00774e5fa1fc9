// Bundles the server, the Lambdas and the preflight into dist/, so that neither consumers nor the image need a build. Two builds give the same bytes.
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licenceList } from './bundled/licences.mjs';
import { installed, packagesIn } from './bundled/packages.mjs';
import { billOfMaterials } from './bundled/sbom.mjs';
import { ssh2 } from './bundled/ssh2.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Options that both kinds of bundle share. `keepNames` keeps class names in errors; legal comments ship beside the bundle. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
};

/** Every `handler.ts` below lib/ is a Lambda; its bundle is named after its folders: lib/certificate/rotation → certificate-rotation. */
function lambdas() {
  return readdirSync(join(root, 'lib'), { recursive: true })
    .map(String)
    .filter((path) => /(^|\/)handler\.ts$/.test(path))
    .map((path) => ({ entry: join('lib', path), name: dirname(path).replaceAll('/', '-') }));
}

const server = await build({
  ...common,
  entryPoints: ['bin/ftps.ts'],
  outfile: 'dist/image/ftps.js',
  target: 'node20',
  plugins: [ssh2],
  // The console's files are carried as they are, and so is code for threads.
  loader: { '.html': 'text', '.css': 'text', '.client.js': 'text', '.thread.js': 'text' },
  // Optional native parts of ftp-srv's logger; it works without them, and nothing native belongs into the bundle.
  external: ['dtrace-provider', 'source-map-support', 'mv', 'safe-json-stringify'],
  banner: { js: '#!/usr/bin/env node' },
});
const kit = Object.keys(server.metafile.inputs).find((path) => /node_modules\/(aws-cdk-lib|constructs)\//.test(path));
if (kit) throw new Error(`the CDK is in the server's bundle (${kit}): something below bin/ or lib/protocols/ loads it`);
// What looks at an account before a deployment: a dozen clients of AWS services, which an instance has no use for.
const preflight = await build({ ...common, entryPoints: ['bin/preflight/index.ts'], outfile: 'dist/preflight/index.js', target: 'node20' });
// In one build, which reads what they share once: each by itself they took three times as long, and gigabytes of memory.
const functions = await build({
  ...common,
  entryPoints: lambdas().map(({ entry, name }) => ({ in: entry, out: `lambda/${name}/index` })),
  outdir: 'dist',
  target: 'node24',
  plugins: [ssh2],
});

/** What esbuild's `keepNames` calls for every function when it is made: in a server that makes dozens for each file that is noticed. */
const NAMES_ALL = '__name=(target,value)=>__defProp(target,"name",{value,configurable:!0})';
/** The same for what has a prototype and another name, as a class that the bundle had to call differently; no arrow's name matters. */
const NAMES_CLASSES = '__name=(target,value)=>target.name===value||!target.prototype?target:__defProp(target,"name",{value,configurable:!0})';

// What an instance gets besides the bundle: units, kernel settings and the script that installs them.
cpSync(join(root, 'lib/image/files'), join(root, 'dist/image'), { recursive: true });

const bundle = join(root, 'dist/image/ftps.js');
const named = readFileSync(bundle, 'utf8');
if (!named.includes(NAMES_ALL)) throw new Error('esbuild keeps names in another way than this build knows');
writeFileSync(bundle, named.replace(NAMES_ALL, NAMES_CLASSES));
const sha256 = createHash('sha256').update(readFileSync(bundle)).digest('hex');
writeFileSync(`${bundle}.sha256`, `${sha256}  ftps.js\n`);

// What is in the server, for the image; what is in the server and in the Lambdas and beside them, for the package.
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const inServer = packagesIn(server.metafile);
writeFileSync(join(root, 'dist/image/ftps.cdx.json'), billOfMaterials({ manifest, type: 'application', sha256 }, inServer));
writeFileSync(join(root, 'dist/image/THIRD-PARTY-LICENSES'), licenceList(inServer.packages));
const inPackage = packagesIn(merged([server, preflight, functions].map(({ metafile }) => metafile)));
for (const one of manifest.bundledDependencies.map(installed)) {
  inPackage.packages.set(one.key, one);
  inPackage.direct.add(one.key);
}
writeFileSync(join(root, 'dist/cdk-ftps.cdx.json'), billOfMaterials({ manifest, type: 'library' }, inPackage));
writeFileSync(join(root, 'dist/THIRD-PARTY-LICENSES'), licenceList(inPackage.packages));

if (!process.argv.includes('--quiet')) console.log(`${relative(root, bundle)}  sha256 ${sha256}`);

function merged(metafiles) {
  return { inputs: Object.assign({}, ...metafiles.map(({ inputs }) => inputs)), outputs: Object.assign({}, ...metafiles.map(({ outputs }) => outputs)) };
}
