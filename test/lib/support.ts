/** Stacks for tests, and the questions that tests ask of a template. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { HostedZone, type IHostedZone } from 'aws-cdk-lib/aws-route53';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { FtpsService, type FtpsServiceProps } from '../../lib';

export const env = { account: '111122223333', region: 'eu-central-1' };

export function testStack(context: Record<string, unknown> = {}): { app: App; stack: Stack; hostedZone: IHostedZone } {
  const app = new App({ context, treeMetadata: false });
  const stack = new Stack(app, 'Test', { env });
  return { app, stack, hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' }) };
}

export function serviceTemplate(props: Partial<FtpsServiceProps> = {}): Template {
  const { stack, hostedZone } = testStack();
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], ...props });
  return Template.fromStack(stack);
}

/** What AWS Solutions, HIPAA, NIST 800-53 and PCI DSS find in a stack and nobody accepted, as `pack: rule`. */
export function nagFindings(build: (stack: Stack) => void): string[] {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new HIPAASecurityChecks(app), new NIST80053R5Checks(app), new PCIDSS321Checks(app));
  build(new Stack(app, 'Nag', { env }));
  try {
    app.synth();
  } catch {
    // thrown because of the findings, which the report names
  }
  const report = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'));
  return report.pluginReports.flatMap(({ pluginName, violations }: Resources) => violations.map((one: Resources) => `${pluginName}: ${one['ruleName']}`));
}

// biome-ignore lint/suspicious/noExplicitAny: what a template holds is what the test asks about
export type Resources = Record<string, any>;

/** Inbound rules as `from-to from network`. */
export function inboundRules(template: Template): string[] {
  const groups = Object.values(template.findResources('AWS::EC2::SecurityGroup') as Resources);
  const inline = groups.flatMap(({ Properties }) => (Properties.SecurityGroupIngress ?? []) as Resources[]);
  const separate = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress') as Resources).map(({ Properties }) => Properties as Resources);
  return [...inline, ...separate].map(
    (rule) =>
      `${rule['FromPort']}-${rule['ToPort']} ${rule['CidrIp'] ?? rule['CidrIpv6'] ?? (rule['SourceSecurityGroupId'] ? 'a security group' : 'somebody')}`,
  );
}

/** The settings that are shipped to the instances, out of their start script. */
export function shippedSettings(template: Template): { passive: { ports: string }; listeners: { port: number; mode: string }[] } & Resources {
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate') as Resources);
  const script = flat(launch.Properties.LaunchTemplateData.UserData['Fn::Base64']);
  const [, json] = /cat > \/etc\/ftps\/server\.json <<'END_OF_FILE'\n(.*)\nEND_OF_FILE/.exec(script)!;
  return JSON.parse(json!);
}

export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const join = (value as Resources)['Fn::Join'] as [string, unknown[]] | undefined;
  return join ? join[1].map(flat).join(join[0]) : `<${Object.values(value as Resources).join('.')}>`;
}
