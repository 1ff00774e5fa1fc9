import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/served';

const root = join(__dirname, '../../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const oldestCdk = manifest.peerDependencies['aws-cdk-lib'].replace('^', '');
const python = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/python');
const maven = ['--quiet', '--batch-mode', `-Dmaven.repo.local=${join(process.env['CDK_FTPS_CACHE'] ?? '', 'maven')}`];
const folder = mkdtempSync(join(tmpdir(), 'ftps-languages-'));
const at = (...path: string[]) => join(folder, ...path);

/** Runs to a good end; what was said otherwise is in the failure. */
async function must(program: string, ...flags: string[]): Promise<void> {
  const { code, output } = await run(program, flags);
  if (code !== 0) throw new Error(`${program} ${flags.join(' ')} ended with ${code}:\n${output}`);
}
/** Within the folder: tsx would take up the paths of a tsconfig.json where it is started, and with them the constructs of the checkout. */
const env = (settings: Record<string, string>, ...command: string[]) =>
  must(
    'env',
    '-C',
    folder,
    ...Object.entries({ JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20', ...settings }).map(([key, value]) => `${key}=${value}`),
    ...command,
  );

/** The template of a stack. Hashes of assets are left out: they are of files, which every language takes from the same package. */
function template(assembly: string, stack: string): object {
  return JSON.parse(readFileSync(at(assembly, `${stack}.template.json`), 'utf8').replaceAll(/[0-9a-f]{64}/g, 'asset'));
}
const expected = (stack: string) => template(`${stack}.out`, stack);

beforeAll(async () => {
  await must('npm', 'pack', '--silent', '--pack-destination', folder, root);
  const tarball = at(readdirSync(folder).find((name) => name.endsWith('.tgz'))!);
  const pacmak = join(root, 'node_modules/.bin/jsii-pacmak');
  await env(
    {},
    pacmak,
    '--code-only',
    '--no-npmignore',
    '--target',
    'python',
    '--target',
    'java',
    '--outdir',
    folder,
    '--pack-command',
    `echo ${tarball}`,
    root,
  );

  writeFileSync(at('package.json'), '{"private": true}');
  const packages = [tarball, `aws-cdk-lib@${oldestCdk}`, ...['constructs', 'tsx'].map((name) => `${name}@${manifest.devDependencies[name]}`)];
  await must('npm', 'install', '--prefix', folder, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...packages);
  for (const [example, stack] of [
    ['minimal', 'Partners'],
    ['one-part', 'Door'],
  ] as const) {
    cpSync(join(root, 'examples', example, 'app.mts'), at(`${stack}.mts`));
    await env({ CDK_OUTDIR: at(`${stack}.out`) }, at('node_modules/.bin/tsx'), at(`${stack}.mts`));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a Python app synthesizes the same resources as the TypeScript app, from the wheel', async () => {
  await must(python, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', folder, at('python'));
  const wheel = at(readdirSync(folder).find((name) => name.endsWith('.whl'))!);
  await must(python, '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', at('site'), wheel);
  await env({ PYTHONPATH: at('site'), CDK_OUTDIR: at('python.out') }, python, join(root, 'examples/python/app.py'));
  for (const stack of ['Partners', 'Door']) expect(template('python.out', stack)).toEqual(expected(stack));
});

describe('requirements of a company, in Python', () => {
  const company = join(root, 'examples/company');
  const files = readdirSync(join(company, 'python')).filter((name) => name.endsWith('.py'));

  /** Every template of an app, those of its environments included. */
  const templates = (assembly: string) =>
    Object.fromEntries(
      readdirSync(at(assembly), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.template.json'))
        .map((name) => [name, JSON.parse(readFileSync(at(assembly, name), 'utf8').replaceAll(/[0-9a-f]{64}/g, 'asset'))]),
    );

  it.each(files)('%s makes the very templates of the TypeScript example of its name', async (file) => {
    const name = file.replace('.py', '').replaceAll('_', '-');
    cpSync(join(company, `${name}.mts`), at(`${name}.mts`));
    await env({ CDK_OUTDIR: at(`${name}.out`) }, at('node_modules/.bin/tsx'), at(`${name}.mts`));
    await env({ PYTHONPATH: at('site'), CDK_OUTDIR: at(`${name}.python`) }, python, join(company, 'python', file));
    const expected = templates(`${name}.out`);
    expect(Object.keys(expected).length).toBeGreaterThan(0);
    expect(templates(`${name}.python`)).toEqual(expected);
  });
});

it('a Java app synthesizes the same resources as the TypeScript app, from the jar', async () => {
  // Of each range of versions the oldest, so that today's build and next year's are one.
  writeFileSync(at('java/pom.xml'), readFileSync(at('java/pom.xml'), 'utf8').replaceAll(/\[([\d.]+),[^)]*\)/g, '$1'));
  await must('mvn', ...maven, '-Dmaven.javadoc.skip', '-Dmaven.source.skip', '-f', at('java/pom.xml'), 'install');
  mkdirSync(at('app'));
  cpSync(join(root, 'examples/java'), at('app'), { recursive: true });
  await env({ CDK_OUTDIR: at('java.out') }, 'mvn', ...maven, '-f', at('app/pom.xml'), 'compile', 'exec:java');
  for (const stack of ['Partners', 'Door']) expect(template('java.out', stack)).toEqual(expected(stack));
});

it('the stacks that are compared have the resources of a whole service, and of one part', () => {
  const types = (stack: string) => Object.values((expected(stack) as { Resources: Record<string, { Type: string }> }).Resources).map(({ Type }) => Type);
  expect(types('Partners')).toEqual(expect.arrayContaining(['AWS::AutoScaling::AutoScalingGroup', 'AWS::ImageBuilder::ImagePipeline', 'AWS::EC2::EIP']));
  expect(types('Door')).toContain('AWS::EC2::SecurityGroup');
  expect(types('Door')).not.toContain('AWS::AutoScaling::AutoScalingGroup');
});
