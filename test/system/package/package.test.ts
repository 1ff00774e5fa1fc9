import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/served';

const root = join(__dirname, '../../..');
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-package-'));
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder, root]);
  expect(packed.code).toBe(0);
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

function resourceTypes(assembly: string): string[] {
  const [template] = readdirSync(assembly).filter((name) => name.endsWith('.template.json'));
  return Object.values(JSON.parse(readFileSync(join(assembly, template!), 'utf8')).Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
}

it('a stranger’s app has ten lines at most', () => {
  expect(readFileSync(join(root, 'examples/minimal/app.mts'), 'utf8').split('\n').filter(Boolean).length).toBeLessThanOrEqual(10);
});

describe('each example', () => {
  const cfnLint = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/cfn-lint');

  // Those in other languages are in test/system/languages.
  const examples = readdirSync(join(root, 'examples')).filter((name) => existsSync(join(root, 'examples', name, 'app.mts')));

  it.each(examples)('%s synthesizes with the packed package', async (example) => {
    const app = join(folder, `${example}.mts`);
    cpSync(join(root, 'examples', example, 'app.mts'), app);
    // Within the folder: tsx would take up the paths of a tsconfig.json where it is started, and with them the constructs of the checkout.
    const { code, output } = await run('env', ['-C', folder, `CDK_OUTDIR=${join(folder, 'examples', example)}`, join(folder, 'node_modules/.bin/tsx'), app]);
    expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
  });

  it('has templates without errors or warnings', async () => {
    const templates = readdirSync(join(folder, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.template.json'));
    expect(new Set(templates.map((name) => name.split('/')[0]))).toEqual(new Set(examples));
    // W3005 as in .cfnlintrc. W3010: zones are named, because an example names its account; without asking that account they are placeholders.
    const flags = ['--config-file', join(root, '.cfnlintrc'), '--ignore-checks', 'W3010', 'W3005', '--'];
    expect(await run(cfnLint, [...flags, ...templates.map((name) => join(folder, 'examples', name))])).toEqual({ code: 0, output: '' });
  });
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
