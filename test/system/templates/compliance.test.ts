import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { complianceGuide, environmentsApp, pipelineApp } from '../../../bin/compliance/guide';
import { packs } from '../../../bin/compliance/packs';
import { variantsApp } from '../../../bin/compliance/variants';
import { wildcardsIn } from '../../../bin/compliance/wildcards';
import { summarize } from '../../../bin/summary';
import { architecture } from '../../../tools/pictures/architecture';
import { dashboard } from '../../../tools/pictures/dashboard';
import { environmentOf } from '../../../tools/pictures/resources';
import { printedIn, redrawn, terminal } from '../../../tools/pictures/terminal';
import type { Resources } from '../../lib/support';

process.env.CDK_VALIDATION = 'true'; // here the rules that the CDK brings along are asked, too

const { context } = JSON.parse(readFileSync(join(__dirname, '../../../cdk.json'), 'utf8'));
const environments = environmentsApp({ context });
const variants = variantsApp({ context });
const pipeline = pipelineApp({ context });

/** What the packs find that nobody accepted, as `rule path`. */
function findings(app: App): string[] {
  Validations.of(app).addPlugins(...packs(app));
  const silent = jest.spyOn(console, 'error').mockReturnValue();
  try {
    app.synth();
  } finally {
    silent.mockRestore();
  }
  process.exitCode = 0; // set by the synthesis where there are findings; the assertion tells them
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'));
  return report.pluginReports.flatMap(({ violations }: Resources) =>
    violations.flatMap(({ ruleName, violatingConstructs }: Resources) =>
      violatingConstructs.map(({ constructPath }: Resources) => `${ruleName} ${constructPath}`),
    ),
  );
}

it('docs/compliance.md lists what is accepted; `npm run docs` writes it anew', () => {
  expect(readFileSync(join(__dirname, '../../../docs/compliance.md'), 'utf8')).toBe(complianceGuide(environments, variants, pipeline));
});

it('the pictures of prod are those of its templates; `npm run docs` draws them anew', () => {
  const prod = environmentOf(environments, 'prod');
  const drawn = { 'architecture.svg': architecture(prod, 'prod'), 'dashboard.svg': dashboard(prod, 'prod') };
  for (const [name, picture] of Object.entries(drawn)) expect(readFileSync(join(__dirname, '../../../docs/pictures', name), 'utf8')).toBe(picture);
});

it('the picture of npm start says of prod and staging what their templates say; `npm run docs` draws that part anew', () => {
  const printed = printedIn(readFileSync(join(__dirname, '../../../docs/pictures/terminal-start.svg'), 'utf8'));
  for (const name of ['prod', 'staging']) {
    const { resources } = environmentOf(environments, name);
    const lines = summarize({ Resources: Object.fromEntries(resources) });
    expect(printed.slice(printed.indexOf(name) + 1).slice(0, lines.length)).toEqual(lines.map((line) => `  ${line}`));
  }
});

it('a part of a picture that is drawn anew leaves the other lines their colours', () => {
  const long = `09:41:00  \x1b[32mupload <complete> & ${'a'.repeat(200)}\x1b[0m  /a`;
  const printed = (cost: string) => ['$ npm start', '', 'prod', `  ${cost}`, '', long, '\x1b[31mno\x1b[0m'].join('\n');
  expect(redrawn(terminal('A start', printed('1 USD')), 'prod', ['2 USD'])).toBe(terminal('A start', printed('2 USD')));
});

it('every permission with a wildcard has its reason', () => {
  const all = [environments, variants, pipeline].flatMap(wildcardsIn);
  expect(all.length).toBeGreaterThan(50);
  expect(all.filter(({ reason }) => reason === undefined)).toEqual([]);
});

it('and one without is found, whatever kind of policy it stands in', () => {
  const stack = new Stack(new App(), 'Test');
  new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }).addToPolicy(
    new PolicyStatement({ actions: ['s3:Get*'], resources: ['arn:aws:s3:::partners/in'] }),
  );
  new Topic(stack, 'Topic').addToResourcePolicy(new PolicyStatement({ principals: [new AnyPrincipal()], actions: ['sns:Publish'], resources: ['*'] }));
  expect(wildcardsIn(stack.node.root).map(({ actions, resources, reason }) => ({ actions, resources, reason }))).toEqual([
    { actions: ['s3:Get*'], resources: ['arn:aws:s3:::partners/in'], reason: undefined },
    { actions: ['sns:Publish'], resources: ['*'], reason: undefined },
  ]);
});

describe('AWS Solutions, NIST 800-53, HIPAA and PCI DSS find nothing that nobody accepted', () => {
  it('in staging and prod', () => expect(findings(environments)).toEqual([]));

  it('in the pipeline, and in the environments of it, whose accounts and regions are known', () => expect(findings(pipeline)).toEqual([]));
});
