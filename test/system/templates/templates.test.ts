/** Every template of both environments, of the pipeline and of the variants, as `cdk synth` writes it, under cfn-lint and under the services' own models of their requests. The synthesis fails on a finding of cdk-nag. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/served';

const root = join(__dirname, '../../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-templates-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cfnLint = (...files: string[]) => run(join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/cfn-lint'), ['--config-file', join(root, '.cfnlintrc'), ...files]);

const models = (...files: string[]) => run(join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/python'), [join(__dirname, 'models.py'), ...files]);

/** Synthesizes without credentials and returns the templates. */
async function synthesized(app: string): Promise<string[]> {
  const output = join(folder, app);
  const flags = [
    '--quiet',
    '--no-notices',
    '--no-version-reporting',
    '--output',
    output,
    '--app',
    `${process.execPath} node_modules/tsx/dist/cli.mjs bin/${app}.ts`,
  ];
  const environment = ['-C', root, 'AWS_EC2_METADATA_DISABLED=true', 'CDK_DISABLE_CLI_TELEMETRY=true', '-u', 'AWS_ACCESS_KEY_ID', '-u', 'AWS_ENDPOINT_URL'];
  const order = [...environment.filter((one) => !one.includes('=')), ...environment.filter((one) => one.includes('='))];
  const { code, output: said } = await run('env', [...order, process.execPath, 'node_modules/aws-cdk/bin/cdk', 'synth', ...flags]);
  expect(`${code} ${code === 0 ? '' : said}`).toBe('0 ');
  return readdirSync(output, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => join(output, name));
}

it.each([
  ['cdk-ftps', 4],
  ['cdk-ftps-pipeline', 6],
  ['compliance/variants', 4],
])('the templates of %s have neither errors nor warnings', async (app, count) => {
  const templates = await synthesized(app);
  expect(templates).toHaveLength(count);
  expect(await cfnLint(...templates)).toEqual({ code: 0, output: '' });
  expect(await models(...templates)).toEqual({ code: 0, output: '' });
});

it('and a template with a property that does not exist has', async () => {
  const assembly = join(folder, 'cdk-ftps/assembly-prod');
  const template = readdirSync(assembly).find((name) => /Data.*template\.json$/.test(name))!;
  const broken = JSON.parse(readFileSync(join(assembly, template), 'utf8'));
  const group = Object.values(broken.Resources as Record<string, { Type: string; Properties: object }>).find(({ Type }) => Type === 'AWS::Logs::LogGroup');
  Object.assign(group!.Properties, { RetentionDays: 1 });
  writeFileSync(join(folder, 'broken.template.json'), JSON.stringify(broken));
  const { code, output } = await cfnLint(join(folder, 'broken.template.json'));
  expect(code).not.toBe(0);
  expect(output).toContain('RetentionDays');
});

it('and of a template with values that a service refuses, each is named', async () => {
  const file = join(folder, 'refused.template.json');
  const rule = { CidrIp: '10.0.0.0/8', IpProtocol: 'tcp', FromPort: 21, ToPort: 21 };
  const Resources = {
    Role: { Type: 'AWS::IAM::Role', Properties: { Description: 'The bank’s', Tags: [{ Key: 'owner', Value: 'Files & Co!' }] } },
    Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'The bank’s', SecurityGroupIngress: [rule, { ...rule, Description: 'again' }] } },
    Function: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'nodejs99.x', Environment: { Variables: { LONG: 'x'.repeat(5_000) } } } },
  };
  writeFileSync(file, JSON.stringify({ Resources }));
  const { code, output } = await models(file);
  expect(code).toBe(3);
  const words = ['Role.Description', 'Role.Tags[].Value', 'a rule is there twice', 'Group: "The bank', 'nodejs99.x is none of', '5004 bytes of environment'];
  for (const one of words) expect(output.replaceAll("'", '"')).toContain(one);
});
