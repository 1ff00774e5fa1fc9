/** What each environment opens, runs, keeps and roughly costs, read from the synthesized templates. usage: summary.ts [cdk.out] */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOf, type Resource } from './costs/bill';
import { gigabytePriceOf, type StorageKind } from './costs/per-gigabyte';

/** The lines that describe the resources of one environment. */
export function summarize(template: { Resources: Record<string, Resource> }): string[] {
  const all = Object.values(template.Resources);
  const of = (type: string) => all.filter((resource) => resource.Type === type);
  const door = of('AWS::EC2::SecurityGroup').find(({ Properties }) => Properties.GroupDescription?.startsWith('FTPS: control ports'));
  const rules: Rule[] = door?.Properties.SecurityGroupIngress ?? [];
  const clients = [...new Set(rules.map(({ CidrIp, CidrIpv6, SourcePrefixListId }) => CidrIp ?? CidrIpv6 ?? SourcePrefixListId))];
  const group = of('AWS::AutoScaling::AutoScalingGroup')[0]?.Properties;
  const type: string = of('AWS::EC2::LaunchTemplate')[0]?.Properties.LaunchTemplateData.InstanceType;
  const schedule: string = of('AWS::ImageBuilder::ImagePipeline')[0]?.Properties.Schedule.ScheduleExpression;
  const audit = Object.entries(template.Resources).find(([id, { Type }]) => Type === 'AWS::Logs::LogGroup' && /Logs?Audit/.test(id))?.[1].Properties;
  const lock = of('AWS::S3::Bucket').find(({ Properties }) => Properties.ObjectLockConfiguration)?.Properties.ObjectLockConfiguration.Rule.DefaultRetention
    .Days;
  const bill = billOf(all);
  const perGigabyte = gigabytePriceOf(all);
  return [
    `open ports     ${portsIn(rules)} from ${clients.join(', ')}`,
    `instances      ${group?.MinSize} x ${type}`,
    `patched        ${schedule} (UTC)`,
    `storage        ${storages[perGigabyte.kind]}`,
    `logs           ${audit?.RetentionInDays ?? '?'} days${lock ? `, archive locked for ${lock} days` : ', no archive'}`,
    `rough cost     about ${Math.round(bill.usd)} USD a month, without traffic, stored files and logs; about ${Math.round(bill.usdLater)} from the third year on`,
    `each GB        ${usd(perGigabyte.up)} USD up, ${usd(perGigabyte.down)} down, ${usd(perGigabyte.stored)} a month while it is stored`,
    ...[...bill.uncounted, ...bill.unknown.map((one) => `${one} is not counted`)].map((words) => `not in it      ${words}`),
  ];
}

const storages: Readonly<Record<StorageKind, string>> = {
  disk: 'disk of the instance, encrypted',
  'EFS, bursting': 'EFS, encrypted, backed up; as fast as what is stored allows',
  'EFS, elastic': 'EFS, encrypted, backed up; as fast as it is asked for',
  'S3, scanned by the instances': 'S3, encrypted, versioned',
  'S3, scanned by GuardDuty': 'S3, encrypted, versioned, scanned by GuardDuty',
};

interface Rule {
  readonly FromPort: number;
  readonly ToPort: number;
  readonly Description?: string;
  readonly CidrIp?: string;
  readonly CidrIpv6?: string;
  readonly SourcePrefixListId?: string;
}

/** Each once; where there are several protocols, each with its own: rules begin with its name. */
function portsIn(rules: readonly Rule[]): string {
  const nameOf = ({ Description = '' }: Rule) => Description.split(' ')[0]!;
  const portOf = ({ FromPort, ToPort }: Rule) => (FromPort === ToPort ? `${FromPort}` : `${FromPort}-${ToPort}`);
  const names = [...new Set(rules.map(nameOf))];
  const ofName = (name: string) => [...new Set(rules.filter((rule) => nameOf(rule) === name).map(portOf))].join(', ');
  return names.map((name) => (names.length > 1 ? `${name} ${ofName(name)}` : ofName(name))).join('; ');
}

/** A price with as many digits as say something. */
const usd = (price: number) => (price > 0 && price < 0.01 ? price.toFixed(4) : price.toFixed(2)).replace(/^0\.00$/, '0');

/** Every environment of a cloud assembly: name and lines. */
function summarizeAssembly(folder: string): { name: string; lines: string[] }[] {
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
