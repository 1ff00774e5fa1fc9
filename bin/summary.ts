/** What each environment opens, runs, keeps and roughly costs, read from the synthesized templates. usage: summary.ts [cdk.out] */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever was synthesized
  readonly Properties: any;
}

/** List prices per month in US East (N. Virginia), on demand, in US dollars; estimates, to be checked against your own region. */
const prices = {
  instance: { 't4g.small': 12.3, 't4g.medium': 24.5, 'c7g.medium': 26.5, 'c7g.large': 53, 'c7g.xlarge': 106 } as Record<string, number>,
  publicAddress: 3.65,
  diskGigabyte: 0.08,
  kmsKey: 1,
  secret: 0.4,
  alarm: 0.1,
  exportableCertificate: 15 / 12,
  imageBuild: 1,
};

/** The lines that describe the resources of one environment. */
export function summarize(template: { Resources: Record<string, Resource> }): string[] {
  const all = Object.values(template.Resources);
  const of = (type: string) => all.filter((resource) => resource.Type === type);
  const door = of('AWS::EC2::SecurityGroup').find(({ Properties }) => Properties.GroupDescription?.startsWith('FTPS: control ports'));
  const rules: { FromPort: number; ToPort: number; CidrIp?: string; CidrIpv6?: string; SourcePrefixListId?: string }[] =
    door?.Properties.SecurityGroupIngress ?? [];
  const ports = [...new Set(rules.map(({ FromPort, ToPort }) => (FromPort === ToPort ? `${FromPort}` : `${FromPort}-${ToPort}`)))];
  const clients = [...new Set(rules.map(({ CidrIp, CidrIpv6, SourcePrefixListId }) => CidrIp ?? CidrIpv6 ?? SourcePrefixListId))];
  const group = of('AWS::AutoScaling::AutoScalingGroup')[0]?.Properties;
  const type: string = of('AWS::EC2::LaunchTemplate')[0]?.Properties.LaunchTemplateData.InstanceType;
  const schedule: string = of('AWS::ImageBuilder::ImagePipeline')[0]?.Properties.Schedule.ScheduleExpression;
  const audit = Object.entries(template.Resources).find(([id, { Type }]) => Type === 'AWS::Logs::LogGroup' && /Logs?Audit/.test(id))?.[1].Properties;
  const lock = of('AWS::S3::Bucket').find(({ Properties }) => Properties.ObjectLockConfiguration)?.Properties.ObjectLockConfiguration.Rule.DefaultRetention
    .Days;
  return [
    `open ports     ${ports.join(', ')} from ${clients.join(', ')}`,
    `instances      ${group?.MinSize} x ${type}`,
    `patched        ${schedule} (UTC)`,
    `storage        ${of('AWS::EFS::FileSystem').length > 0 ? 'EFS, encrypted, backed up' : 'disk of the instance, encrypted'}`,
    `logs           ${audit?.RetentionInDays ?? '?'} days${lock ? `, archive locked for ${lock} days` : ', no archive'}`,
    `rough cost     ${monthlyCost(of, Number(group?.MinSize ?? 0), type)} USD a month, without traffic, stored files and logs`,
  ];
}

function monthlyCost(of: (type: string) => Resource[], instances: number, type: string): string {
  const known = prices.instance[type];
  if (known === undefined) return '(no list price known for the instance type)';
  const cost =
    instances * (known + 20 * prices.diskGigabyte) +
    of('AWS::EC2::EIP').length * prices.publicAddress +
    of('AWS::KMS::Key').length * prices.kmsKey +
    of('AWS::SecretsManager::Secret').length * prices.secret +
    of('AWS::CloudWatch::Alarm').length * prices.alarm +
    of('AWS::CertificateManager::Certificate').length * prices.exportableCertificate +
    of('AWS::ImageBuilder::ImagePipeline').length * prices.imageBuild;
  return `about ${Math.round(cost)}`;
}

/** Every environment of a cloud assembly: name and lines. */
export function summarizeAssembly(folder: string): { name: string; lines: string[] }[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('assembly-'))
    .map((assembly) => {
      const templates = readdirSync(join(folder, assembly))
        .filter((name) => name.endsWith('.template.json'))
        .map((name) => JSON.parse(readFileSync(join(folder, assembly, name), 'utf8')));
      return { name: assembly.slice('assembly-'.length), lines: summarize({ Resources: Object.assign({}, ...templates.map(({ Resources }) => Resources)) }) };
    });
}

if (require.main === module) {
  for (const { name, lines } of summarizeAssembly(process.argv[2] ?? 'cdk.out'))
    process.stdout.write(`${name}\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
}
