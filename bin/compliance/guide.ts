/** Writes docs/compliance.md from the constructs. usage: npm run docs */
import { App, type AppProps } from 'aws-cdk-lib';
import { FtpsPipeline, FtpsStage } from '../../lib';
import { pipeline } from '../environments/pipeline';
import { prod } from '../environments/prod';
import { staging } from '../environments/staging';
import { type Accepted, acceptedIn } from './accepted';
import { type Wildcard, wildcardsIn } from './wildcards';

/** Both environments. */
export function environmentsApp(props?: AppProps): App {
  const app = new App(props);
  for (const settings of [staging, prod]) new FtpsStage(app, settings.name, { settings });
  return app;
}

/** The pipeline, with the environments it deploys. */
export function pipelineApp(props?: AppProps): App {
  const app = new App(props);
  new FtpsPipeline(app, 'ftps-pipeline', pipeline);
  return app;
}

export function complianceGuide(environmentsIn: App, variantsIn: App, pipelineIn: App): string {
  const environments = acceptedIn(environmentsIn);
  const known = new Set(environments.map(({ reason }) => reason));
  const notKnown = (app: App) => acceptedIn(app).filter(({ reason }) => !known.has(reason));
  const wildcards = wildcardsIn(environmentsIn);
  const reasons = new Set(wildcards.map(({ reason }) => reason));
  const furtherWildcards = [variantsIn, pipelineIn].flatMap(wildcardsIn).filter(({ reason }) => !reasons.has(reason));
  return `# Compliance

Every synthesis of the environments and of the pipeline is checked by four packs of [cdk-nag](https://github.com/cdklabs/cdk-nag): AWS Solutions, NIST 800-53 revision 5, HIPAA Security
and PCI DSS 3.2.1 (there is none for 4.0 yet; what 4.0 asks for and the kit shows is in the [evidence](evidence.md)). A finding that nobody accepted stops the synthesis. So are
production behind a load balancer, a service in an existing network and one without internet, and cfn-lint checks each template as well (\`npm run test:system -- templates\`).

A finding is accepted on the construct it is about, with its reason beside the code. This page lists all of them; it is written from the constructs (\`npm run docs\`), and a test
fails when it is out of date. In your own app the acceptances come with the constructs, and the packs are yours to add:

\`\`\`ts
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';

Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app), new HIPAASecurityChecks(app), new PCIDSS321Checks(app));
\`\`\`

## Accepted in the environments

${table(environments)}

## Accepted with other endpoints and networks besides

${table(notKnown(variantsIn))}

## Accepted in the pipeline besides

${table(notKnown(pipelineIn))}

## Wildcards in permissions

Every statement that allows something with a \`*\` in its actions or resources, and why. A test fails on one without a reason. References stand in angle brackets.

${wildcardTable(wildcards)}

With other endpoints and networks, and in the pipeline, besides:

${wildcardTable(furtherWildcards)}
`;
}

function table(all: readonly Accepted[]): string {
  const rows = all.map(({ rules, reason, where }) => `| ${rules.join(', ')} | ${cell(reason)} | ${[...new Set(where.map(shown))].join(', ')} |`);
  return `| rule | why it is accepted | where |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

/** One row for each reason and what it is the reason for; the same permission lies in many roles. */
function wildcardTable(all: readonly Wildcard[]): string {
  const reasons = new Set(all.map(({ reason }) => reason ?? 'none'));
  const rows = [...reasons].map((reason) => {
    const some = all.filter((one) => (one.reason ?? 'none') === reason);
    const allows = [...new Set(some.map(({ actions, resources }) => `${code(actions)} on ${code(resources)}`))].sort();
    const where = [...new Set(some.map(({ path }) => shown(path)))].sort();
    return `| ${cell(allows.join('<br>'))} | ${cell(reason)} | ${where.join(', ')} |`;
  });
  return `| allows | why | where |\n| --- | --- | --- |\n${rows.sort().join('\n')}`;
}

/** The same in every environment: without its name, and without the hash in the name of a resource. */
const code = (all: readonly string[]) =>
  all.map((one) => `\`${one.replaceAll(/ftps-(staging|prod)/g, 'ftps-NAME').replaceAll(/(<\w+?)[0-9A-F]{8}(?=[.>])/g, '$1')}\``).join(', ');

/** Staging and prod are the same constructs; what lies within one construct of the kit is named by it. */
function shown(path: string): string {
  const [first, ...rest] = path.split('/');
  const within = rest.filter((part) => !['Resource', 'Default', 'DefaultPolicy'].includes(part));
  return `\`${['staging', 'prod'].includes(first!) ? within.join('/') || 'everything' : [first, ...within].slice(0, 4).join('/')}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|');
