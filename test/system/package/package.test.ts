import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { version } from '../../../package.json';
import { objectionsToApi } from '../../../tools/api-changes';
import { run } from '../support/served';

const root = join(__dirname, '../../..');
let folder: string;
let contents: Contents;

/** What npm says of a package that it packs. */
interface Contents {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-package-'));
  const packed = await run('npm', ['pack', '--silent', '--json', '--pack-destination', folder, root]);
  expect(`${packed.code} ${packed.code === 0 ? '' : packed.output}`).toBe('0 ');
  [contents] = JSON.parse(packed.output.slice(packed.output.indexOf('[\n'), packed.output.lastIndexOf(']') + 1));
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const versions = ['aws-cdk-lib', 'constructs', 'tsx'].map((name) => `${name}@${devDependencies[name]}`);
  const installed = await run('npm', [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
    join(folder, tarball),
    ...versions,
  ]);
  expect(`${installed.code} ${installed.code === 0 ? '' : installed.output}`).toBe('0 ');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

function resourceTypes(assembly: string): string[] {
  const [template] = readdirSync(assembly).filter((name) => name.endsWith('.template.json'));
  return Object.values(JSON.parse(readFileSync(join(assembly, template!), 'utf8')).Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
}

it('the package holds what it needs and nothing else, and is as small as it was', () => {
  const paths = contents.files.map(({ path }) => path);
  const places =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|\.jsii|docs\/upload-released\.schema\.json|dist\/(THIRD-PARTY-LICENSES|cdk-ftps\.cdx\.json)|dist\/(image|lambda|lib|preflight|server)\/.+|node_modules\/zod\/.+)$/;
  expect(paths.filter((path) => !places.test(path))).toEqual([]);
  const ours = paths.filter((path) => path.startsWith('dist/'));
  expect(ours.filter((path) => /\.(map|tsbuildinfo|pem|key|env|svg|png)$|\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  const secret = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}|\b(AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}\b/;
  expect(ours.filter((path) => secret.test(readFileSync(join(folder, 'node_modules/cdk-ftps', path), 'latin1')))).toEqual([]);
  // In MB; of what is unpacked, 6 are zod, 23 ten Lambdas with the parts of the AWS SDK that they use, 5 what preflight asks AWS by, and 5 the server.
  expect(contents.size / 1e6).toBeLessThan(8.4);
  expect(contents.unpackedSize / 1e6).toBeLessThan(43);
});

it('a clean build elsewhere, at another time, in another language and time zone, gives the same bytes', async () => {
  const elsewhere = mkdtempSync(join(root, '.cache-build-')); // beside node_modules, so that it can be linked file by file
  try {
    for (const name of ['bin', 'lib', 'server', 'tools', 'package.json', 'tsconfig.json', 'LICENSE'])
      cpSync(join(root, name), join(elsewhere, name), { recursive: true });
    expect(await run('cp', ['-al', join(root, 'node_modules'), join(elsewhere, 'node_modules')])).toMatchObject({ code: 0 });
    const settings = ['TZ=Pacific/Kiritimati', 'LANG=tr_TR.UTF-8', 'LC_ALL=C', 'HOME=/nonexistent'];
    const built = await run('bash', [
      '-c',
      'umask 077; cd "$1"; shift; exec env "$@"',
      '-',
      elsewhere,
      ...settings,
      process.execPath,
      'tools/build.mjs',
      '--quiet',
    ]);
    expect(built).toEqual({ code: 0, output: '' });
    const files = readdirSync(join(elsewhere, 'dist'), { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((one) => one.isFile());
    const names = files.map((one) => join(one.parentPath, one.name).slice(elsewhere.length + 1)).sort();
    const hashes = (top: string) => names.map((name) => `${sha256(join(top, name))}  ${name}`);
    expect(names).toEqual(expect.arrayContaining(['dist/image/ftps.js', 'dist/image/ftps.cdx.json', 'dist/lambda/certificate-rotation/index.js']));
    expect(hashes(elsewhere)).toEqual(hashes(join(folder, 'node_modules/cdk-ftps')));
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

it('a stranger’s app has ten lines at most', () => {
  expect(readFileSync(join(root, 'examples/minimal/app.mts'), 'utf8').split('\n').filter(Boolean).length).toBeLessThanOrEqual(10);
});

/** What the file says beyond the ten lines of the smallest service. */
function linesBeyondTheMinimum(file: string): number {
  const lines = (name: string) =>
    readFileSync(name, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('//'));
  const minimal = lines(join(root, 'examples/minimal/app.mts'));
  return Math.max(0, lines(file).length - minimal.length);
}

describe('each requirement of a company', () => {
  const company = join(root, 'examples/company');
  const requirements = readdirSync(company).filter((name) => name.endsWith('.mts'));

  it('synthesizes with the packed package, and takes few lines', async () => {
    const names = requirements.map((name) => name.replace('.mts', ''));
    mkdirSync(join(folder, 'company'));
    for (const name of requirements) cpSync(join(company, name), join(folder, 'company', name));
    // One process for all: each app is made with an output folder of its own, and synthesizes itself when there is nothing left to do.
    const all = names.map(
      (name) => `process.env.CDK_OUTDIR = ${JSON.stringify(join(folder, 'examples', `company-${name}`))}; await import('./company/${name}.mts');`,
    );
    writeFileSync(join(folder, 'company.mts'), all.join('\n'));
    const { code, output } = await run('env', ['-C', folder, join(folder, 'node_modules/.bin/tsx'), join(folder, 'company.mts')]);
    expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
    const table = names.map((name) => [name, linesBeyondTheMinimum(join(company, `${name}.mts`))] as const);
    process.stdout.write(table.map(([name, lines]) => `${name.padEnd(28)}${String(lines).padStart(3)} lines beyond the ten\n`).join(''));
    const said = readFileSync(join(root, 'examples/README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\]\(company\/\1\.mts\) \|.*\| (\d+) \|$/gm);
    expect([...said].map(([, name, lines]) => [name, Number(lines)])).toEqual(table);
    for (const name of names) expect(readdirSync(join(folder, 'examples', `company-${name}`), { recursive: true }).join()).toContain('.template.json');
  });
});

describe('each example', () => {
  const cfnLint = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/cfn-lint');

  // Those in other languages are in test/system/languages.
  const examples = readdirSync(join(root, 'examples')).filter((name) => existsSync(join(root, 'examples', name, 'app.mts')));

  it.each(examples)('%s synthesizes with the packed package', async (example) => {
    const app = join(folder, `${example}.mts`);
    cpSync(join(root, 'examples', example, 'app.mts'), app);
    if (existsSync(join(root, 'examples', example, 'steps'))) cpSync(join(root, 'examples', example, 'steps'), join(folder, 'steps'), { recursive: true });
    // Within the folder: tsx would take up the paths of a tsconfig.json where it is started, and with them the constructs of the checkout.
    const { code, output } = await run('env', ['-C', folder, `CDK_OUTDIR=${join(folder, 'examples', example)}`, join(folder, 'node_modules/.bin/tsx'), app]);
    expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
  });

  it('has templates without errors or warnings', async () => {
    const templates = readdirSync(join(folder, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.template.json'));
    expect(new Set(templates.map((name) => name.split('/')[0]!.replace(/^company-.*/, 'company')))).toEqual(new Set([...examples, 'company']));
    // W3005 as in .cfnlintrc. W3010: zones are named, because an example names its account; without asking that account they are placeholders.
    const flags = ['--config-file', join(root, '.cfnlintrc'), '--ignore-checks', 'W3010', 'W3005', '--'];
    expect(await run(cfnLint, [...flags, ...templates.map((name) => join(folder, 'examples', name))])).toEqual({ code: 0, output: '' });
  });
});

it('the API breaks only what the changes name, and a release that breaks raises its version', async () => {
  // Beside the installed package, so that both are read with the same aws-cdk-lib.
  const before = join(folder, 'released');
  mkdirSync(before);
  writeFileSync(join(before, '.jsii'), gunzipSync(readFileSync(join(root, 'test/api/released.jsii.gz'))));
  cpSync(join(root, 'package.json'), join(before, 'package.json'));
  const { version: released } = JSON.parse(readFileSync(join(before, '.jsii'), 'utf8'));
  const silent = 'JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20';
  const compared = await run('env', [
    silent,
    join(root, 'node_modules/.bin/jsii-diff'),
    '--keys',
    '--error-on=all',
    before,
    join(folder, 'node_modules/cdk-ftps'),
  ]);
  // It ends with 0 where it could read one of them not at all.
  expect(compared.output).not.toMatch(/Could not load/);
  const read = (name: string) => readFileSync(join(root, name), 'utf8');
  expect(objectionsToApi({ difference: compared.output, released, version, changes: read('CHANGELOG.md'), upgrading: read('docs/upgrading.md') })).toEqual([]);
});

it('the image takes the very server of the package, and its build ends at any other', async () => {
  const shipped = join(folder, 'node_modules/cdk-ftps/dist/image');
  const assembly = join(folder, 'examples/minimal');
  const [template] = readdirSync(assembly).filter((name) => name.endsWith('.template.json'));
  const checks = /echo '[0-9a-f]{64} {2}[^']+' \| sha256sum --check --strict/g;
  const commands = readFileSync(join(assembly, template!), 'utf8').match(checks)!;
  const pinned = commands.map((command) => command.slice("echo '".length).split("'")[0]);
  expect(pinned).toEqual(
    readdirSync(shipped)
      .sort()
      .map((name) => `${sha256(join(shipped, name))}  ${name}`),
  );
  const copy = join(folder, 'image');
  cpSync(shipped, copy, { recursive: true });
  const verify = () => run('bash', ['-c', `set -euo pipefail; cd "$1"; ${commands.join('\n')}`, '-', copy]);
  expect(await verify()).toMatchObject({ code: 0 });
  appendFileSync(join(copy, 'ftps.js'), '\n');
  expect(await verify()).toMatchObject({ code: 1, output: expect.stringContaining('ftps.js: FAILED') });
});

it('so does one in CommonJS that takes a single construct', async () => {
  writeFileSync(
    join(folder, 'one.cjs'),
    `const { App, Stack } = require('aws-cdk-lib');
     const { Vpc } = require('aws-cdk-lib/aws-ec2');
     const { FtpsSecurityGroup, PassivePorts } = require('cdk-ftps');
     const stack = new Stack(new App(), 'One');
     new FtpsSecurityGroup(stack, 'Door', { vpc: new Vpc(stack, 'Vpc'), controlPorts: [21, 990], passivePorts: PassivePorts.AWS_TRANSFER_FAMILY, clientCidrs: ['203.0.113.0/24'] });
     stack.node.root.synth();`,
  );
  const { code, output } = await run('env', ['-C', folder, `CDK_OUTDIR=${join(folder, 'cjs.out')}`, process.execPath, join(folder, 'one.cjs')]);
  expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
  expect(resourceTypes(join(folder, 'cjs.out'))).toContain('AWS::EC2::SecurityGroup');
});

it('the package brings the ftps command and its types', async () => {
  const { code, output } = await run(join(folder, 'node_modules/.bin/ftps'), ['--help']);
  expect(code).toBe(0);
  expect(output).toContain('ftps serve');
  expect(readFileSync(join(folder, 'node_modules/cdk-ftps/dist/lib/index.d.ts'), 'utf8')).toContain('FtpsService');
});

it('the command says the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/cdk-ftps/package.json'), 'utf8'));
  expect(await run(join(folder, 'node_modules/.bin/ftps'), ['--version'])).toEqual({ code: 0, output: `${version}\n` });
});

// Asked before the tests begin, so that one that could not be made shows as skipped, with the reason in its name.
const audit = spawnSync(join(root, 'node_modules/.bin/tsx'), ['tools/audit.ts'], { cwd: root, encoding: 'utf8', timeout: 150_000 });
if (audit.status === 2) it.skip(audit.stderr.trim(), () => undefined);
else it('no vulnerability is known of what is locked, but those explained', () => expect([audit.status, audit.stderr]).toEqual([0, '']));
