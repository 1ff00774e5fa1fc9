/** docs/pictures/architecture.svg: an environment as its templates have it. What a box says is read from its resources, and no arrow is drawn that no reference stands for. */
import type { Environment, Resource } from './resources';
import { drawing, text } from './svg';

const [WIDTH, HEIGHT] = [245, 92];
const columns = [20, 312, 604, 896] as const;
const rows = [84, 216, 328, 466] as const;

interface Box {
  readonly title: string;
  readonly column: 0 | 1 | 2 | 3;
  readonly row: 0 | 1 | 2 | 3;
  /** How many rows it covers. */
  readonly tall?: 2;
  /** Beginnings of the logical ids of its resources, which are the paths of their constructs. */
  readonly parts: readonly string[];
  readonly lines: (of: (type: string) => Resource[]) => string[];
}

interface Arrow {
  readonly way: string;
  readonly note?: { readonly x: number; readonly y: number; readonly text: string; readonly anchor?: 'start' | 'middle' | 'end' };
  /** Boxes of which one has to refer to the other. */
  readonly between: readonly [keyof typeof boxes, keyof typeof boxes];
}

const count = (some: readonly unknown[], one: string, many = `${one}s`) => `${some.length} ${some.length === 1 ? one : many}`;
const first = (some: readonly Resource[]) => some[0]!.Properties;

const boxes = {
  door: {
    title: 'Security group',
    column: 1,
    row: 1,
    parts: ['ServiceSecurityGroup'],
    lines: (of) => {
      const rules = first(of('EC2::SecurityGroup')).SecurityGroupIngress as { FromPort: number; ToPort: number }[];
      const ports = [...new Set(rules.map(({ FromPort, ToPort }) => (FromPort === ToPort ? `${FromPort}` : `${FromPort}–${ToPort}`)))];
      return [`opens ${ports.join(', ')}`, 'to the networks of partners alone'];
    },
  },
  fleet: {
    title: 'Instances, FTPS server',
    column: 2,
    row: 1,
    tall: 2,
    parts: ['ServiceFleetInstances', 'ServiceFleetLaunchTemplate', 'ServiceFleetRole', 'ServiceFleetVolumeKey'],
    lines: (of) => {
      const group = first(of('AutoScaling::AutoScalingGroup'));
      const { InstanceType, MetadataOptions, BlockDeviceMappings } = first(of('EC2::LaunchTemplate')).LaunchTemplateData;
      const [{ Ebs }] = BlockDeviceMappings;
      return [
        `${[...new Set([group.MinSize, group.MaxSize])].join(' to ')} × ${InstanceType}, in ${count(group.VPCZoneIdentifier, 'subnet')}`,
        `metadata: tokens ${MetadataOptions.HttpTokens}`,
        `disk: ${Ebs.VolumeSize} GiB ${Ebs.VolumeType}${Ebs.Encrypted ? ', encrypted by KMS' : ''}`,
        ...(group.LifecycleHookSpecificationList as { LifecycleTransition: string; HeartbeatTimeout: number }[]).map(
          ({ LifecycleTransition, HeartbeatTimeout }) =>
            LifecycleTransition.endsWith('LAUNCHING') ? `${HeartbeatTimeout / 60} min to be ready` : `${HeartbeatTimeout / 60} min to drain`,
        ),
      ];
    },
  },
  files: {
    title: 'EFS',
    column: 1,
    row: 2,
    parts: ['Files'],
    lines: (of) => [
      `partners' files${first(of('EFS::FileSystem')).Encrypted ? ', encrypted by KMS' : ''}`,
      count(of('EFS::MountTarget'), 'mount target'),
      `backups ${String(first(of('EFS::FileSystem')).BackupPolicy?.Status ?? 'disabled').toLowerCase()}`,
    ],
  },
  addresses: {
    title: 'Fixed addresses',
    column: 0,
    row: 2,
    parts: ['AddressesAddress'],
    lines: (of) => [count(of('EC2::EIP'), 'Elastic IP address', 'Elastic IP addresses'), 'kept when instances go'],
  },
  keeper: {
    title: 'Address Lambda',
    column: 0,
    row: 3,
    parts: ['ServiceFleetAddresses'],
    lines: (of) => [
      'gives instances their address',
      'keeps the records of the host name',
      `${count(of('Events::Rule'), 'rule')}, ${count(of('SQS::Queue'), 'queue')} for failures`,
    ],
  },
  certificate: {
    title: 'ACM certificate',
    column: 1,
    row: 3,
    parts: ['ServiceCertificate'],
    lines: (of) => {
      const { DomainName, CertificateExport, ValidationMethod } = first(of('CertificateManager::Certificate'));
      return [DomainName, `${ValidationMethod} validation`, `export ${String(CertificateExport).toLowerCase()}`];
    },
  },
  rotation: {
    title: 'Rotation Lambda, secret',
    column: 2,
    row: 3,
    parts: ['ServiceCertificateRotated'],
    lines: (of) => [
      'exports, verifies, stores',
      `${count(of('SecretsManager::Secret'), 'secret')}, ${count(of('KMS::Key'), 'KMS key')}`,
      `${count(of('Events::Rule'), 'rule')}, ${count(of('CloudWatch::Alarm'), 'alarm')}`,
    ],
  },
  image: {
    title: 'EC2 Image Builder',
    column: 1,
    row: 0,
    parts: ['ServiceImage'],
    lines: (of) => [
      `${count(of('ImageBuilder::Component'), 'component')} of ours, tests, ${count(of('CloudWatch::Alarm'), 'alarm')}`,
      `built at ${first(of('ImageBuilder::ImagePipeline')).Schedule.ScheduleExpression}`,
      `keeps ${first(of('ImageBuilder::LifecyclePolicy')).PolicyDetails[0].Filter.Value} images`,
    ],
  },
  rollout: {
    title: 'Roll-out Lambda',
    column: 2,
    row: 0,
    parts: ['ServiceRollout'],
    lines: (of) => ['gives instances each good image', 'back to the one before on an alarm', count(of('Events::Rule'), 'rule')],
  },
  audit: {
    title: 'CloudWatch Logs: the audit',
    column: 3,
    row: 1,
    parts: ['Logs'],
    lines: (of) => [
      `${Math.max(...of('Logs::LogGroup').map(({ Properties }) => Properties.RetentionInDays))} days${of('Logs::LogGroup').every(({ Properties }) => Properties.KmsKeyId) ? ', encrypted by KMS' : ''}`,
      count(of('Logs::MetricFilter'), 'metric filter'),
    ],
  },
  archive: {
    title: 'Firehose → S3 archive',
    column: 3,
    row: 2,
    parts: ['LogsArchive', 'LogsAuditToArchive'],
    lines: (of) => {
      const lock = of('S3::Bucket').find(({ Properties }) => Properties.ObjectLockConfiguration)?.Properties.ObjectLockConfiguration.Rule.DefaultRetention;
      return [
        lock ? `Object Lock: ${lock.Days} days, ${lock.Mode.toLowerCase()}` : 'no Object Lock',
        `Glue table, ${count(of('Athena::NamedQuery'), 'Athena query', 'Athena queries')}`,
      ];
    },
  },
  alarms: {
    title: 'Alarms and dashboard',
    column: 3,
    row: 0,
    parts: ['ServiceAlarms', 'ServiceDashboard', 'Alarms'],
    lines: (of) => [
      `${count(of('CloudWatch::Alarm'), 'alarm')} on the service, ${of('CloudWatch::CompositeAlarm').length} composite`,
      `${count(of('SNS::Topic'), 'SNS topic')}${first(of('SNS::Topic')).KmsMasterKeyId ? ', encrypted by KMS' : ''}`,
      count(of('CloudWatch::Dashboard'), 'dashboard'),
    ],
  },
  accounts: {
    title: 'Accounts',
    column: 3,
    row: 3,
    parts: ['Accounts', 'ServiceLockouts'],
    lines: (of) => [
      'secrets of Secrets Manager',
      `${count(of('KMS::Key'), 'KMS key')}`,
      ...(of('DynamoDB::Table').length ? ['lock-outs shared by DynamoDB'] : []),
    ],
  },
} satisfies Record<string, Box>;

const arrows: readonly Arrow[] = [
  { way: 'M557 262H602', between: ['fleet', 'door'] },
  { way: 'M604 374H559', between: ['fleet', 'files'] },
  { way: 'M142 466V422', between: ['keeper', 'addresses'] },
  { way: 'M557 512H602', between: ['rotation', 'certificate'] },
  { way: 'M726 466V422', note: { x: 735, y: 456, text: 'polled' }, between: ['fleet', 'rotation'] },
  { way: 'M557 130H602', between: ['rollout', 'image'] },
  { way: 'M726 176V214', between: ['rollout', 'fleet'] },
  { way: 'M849 262H894', between: ['fleet', 'audit'] },
  { way: 'M1018 308V326', between: ['audit', 'archive'] },
  { way: 'M1018 216V178', note: { x: 1027, y: 200, text: 'metrics' }, between: ['alarms', 'audit'] },
  { way: 'M896 512H880V374H851', between: ['fleet', 'accounts'] },
];

/** The box whose beginning fits an id best. */
function owner(id: string): keyof typeof boxes | undefined {
  const fitting = Object.entries(boxes).flatMap(([name, { parts }]) => parts.filter((part) => id.startsWith(part)).map((part) => [name, part.length] as const));
  return fitting.sort(([, a], [, b]) => b - a)[0]?.[0] as keyof typeof boxes | undefined;
}

export function architecture({ resources, references }: Environment, name: string): string {
  const owned = (box: string) => [...resources].filter(([id]) => owner(id) === box).map(([, one]) => one);
  const all = (type: string) => [...resources.values()].filter(({ Type }) => Type === `AWS::${type}`);
  const related = new Set([...references].flatMap(([id, to]) => [...to].map((other) => `${owner(id)} ${owner(other)}`)));
  for (const {
    between: [one, other],
  } of arrows)
    if (!related.has(`${one} ${other}`) && !related.has(`${other} ${one}`)) throw new Error(`nothing in the templates joins ${one} and ${other}`);

  const drawn = Object.entries(boxes as Record<string, Box>).map(([key, { title, column, row, tall, lines }]) => {
    const mine = owned(key);
    const said = lines((type) => mine.filter(({ Type }) => Type === `AWS::${type}`));
    return box(columns[column], rows[row], title, said, tall ? rows[row + 1]! + HEIGHT - rows[row] : HEIGHT);
  });
  const rules = owned('door').flatMap(({ Properties }) => (Properties.SecurityGroupIngress ?? []) as { CidrIp?: string; CidrIpv6?: string }[]);
  const networks = [...new Set(rules.map(({ CidrIp, CidrIpv6 }) => CidrIp ?? CidrIpv6).filter((one) => one !== undefined))];
  const vpc = all('EC2::VPC')[0]!.Properties;
  return drawing(1161, 606, `The resources of ${name} and how they belong together`, [
    text({ x: 20, y: 36, text: `cdk-ftps: ${name}`, kind: 'title' }),
    text({
      x: 20,
      y: 56,
      text: `${resources.size} resources. Drawn from the synthesized templates: the numbers and names are theirs, and no arrow inside stands without a reference in them.`,
    }),
    `<rect class="vpc" x="294" y="192" width="573" height="246" rx="8"/>`,
    text({ x: 304, y: 208, text: `VPC ${vpc.CidrBlock}, ${count(all('EC2::Subnet'), 'subnet')}, ${count(all('EC2::FlowLog'), 'flow log')}`, kind: 'note' }),
    ...arrows.map(({ way }) => `<path class="way" marker-end="url(#tip)" d="${way}"/>`),
    `<path class="way" marker-end="url(#tip)" d="M265 262H310"/>`,
    box(columns[0], rows[1], 'Partners', networks.slice(0, 3).map(String), HEIGHT),
    ...drawn,
    ...arrows.flatMap(({ note }) => (note ? [text({ ...note, kind: 'note' })] : [])),
    text({ x: 20, y: 590, text: 'Not shown: roles and policies, log groups of Lambdas, keys beyond those named, what belongs to the account.' }),
  ]);
}

function box(x: number, y: number, title: string, lines: readonly string[], height: number): string {
  const inner = lines.map((words, index) => text({ x: x + 12, y: y + 43 + index * 17, text: words }));
  return `<rect class="box" x="${x}" y="${y}" width="${WIDTH}" height="${height}" rx="6"/>${text({ x: x + 12, y: y + 23, text: title, kind: 'head' })}${inner.join('')}`;
}
