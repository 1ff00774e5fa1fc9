/** Writes docs/compliance.md from the constructs. usage: npm run docs */
import { App, type AppProps } from 'aws-cdk-lib';
import { FtpsPipeline, FtpsStage } from '../../lib';
import { pipeline } from '../environments/pipeline';
import { prod } from '../environments/prod';
import { staging } from '../environments/staging';
import { type Accepted, acceptedIn } from './accepted';

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

export function complianceGuide(environmentsIn = environmentsApp(), pipelineIn = pipelineApp()): string {
  const environments = acceptedIn(environmentsIn);
  const known = new Set(environments.map(({ reason }) => reason));
  const pipelineOnly = acceptedIn(pipelineIn).filter(({ reason }) => !known.has(reason));
  return `# Compliance

Every synthesis of the environments and of the pipeline is checked by four packs of [cdk-nag](https://github.com/cdklabs/cdk-nag): AWS Solutions, NIST 800-53 revision 5, HIPAA Security
and PCI DSS 3.2.1 (there is none for 4.0 yet; what 4.0 asks for and the kit shows is in the [evidence](evidence.md)). A finding that nobody accepted stops the synthesis. cfn-lint checks
each template as well (\`npm run test:system -- templates\`).

A finding is accepted on the construct it is about, with its reason beside the code. This page lists all of them; it is written from the constructs (\`npm run docs\`), and a test
fails when it is out of date. In your own app the acceptances come with the constructs, and the packs are yours to add:

\`\`\`ts
Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app), new HIPAASecurityChecks(app), new PCIDSS321Checks(app));
\`\`\`

## Accepted in the environments

${table(environments)}

## Accepted in the pipeline besides

${table(pipelineOnly)}
`;
}

function table(all: readonly Accepted[]): string {
  const rows = all.map(({ rules, reason, where }) => `| ${rules.join(', ')} | ${cell(reason)} | ${[...new Set(where.map(shown))].join(', ')} |`);
  return `| rule | why it is accepted | where |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

/** Staging and prod are the same constructs; what lies within one construct of the kit is named by it. */
function shown(path: string): string {
  const [first, ...rest] = path.split('/');
  const within = rest.filter((part) => !['Resource', 'Default', 'DefaultPolicy'].includes(part));
  return `\`${['staging', 'prod'].includes(first!) ? within.join('/') || 'everything' : [first, ...within].slice(0, 4).join('/')}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|');
