/** What the resources of templates cost in a month by being there, line by line. What is paid by use alone is named, and so is what is free. */
import { certificateDays, HOURS, instancePrices, type Price, prices } from './prices';

/** A resource of a synthesized template. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever was synthesized
  readonly Properties?: any;
}

export interface Line {
  readonly what: string;
  readonly count: number;
  /** All of them together, a month. */
  readonly usd: number;
  /** How it is made up, where that is not count times price. */
  readonly note?: string;
}

export interface Bill {
  readonly lines: readonly Line[];
  /** Sum of the lines. */
  readonly usd: number;
  /** The same from the third year on, when every key has been rotated twice. */
  readonly usdLater: number;
  /** What is paid by use: a resource type and what its use costs. */
  readonly byUse: ReadonlyMap<string, string>;
  /** Types that nobody has said anything about. */
  readonly unknown: readonly string[];
  /** What could not be counted, in words. */
  readonly uncounted: readonly string[];
}

type Counted = (resources: readonly Resource[], all: readonly Resource[]) => readonly (Line | string)[];

const each =
  (what: string, { usd }: Price, hours = 1): Counted =>
  (resources) => [line(what, resources.length, resources.length * usd * hours)];

const line = (what: string, count: number, usd: number, note?: string): Line => ({ what, count, usd, note });
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
const of = (all: readonly Resource[], type: string) => all.filter(({ Type }) => Type === type);

/** Share of a month's builds: the pipeline's weekly one. */
const BUILDS = 365 / 12 / 7;
/** Hours that the machines of one build run, its test included, and GB that an image's snapshot holds: estimates. */
const BUILD_HOURS = 1.5;
const SNAPSHOT_GIGABYTES = 4;
/** Metrics of EC2's detailed monitoring (EC2 user guide, "Manage detailed monitoring"). */
const DETAILED_METRICS = 7;

function instances(groups: readonly Resource[], all: readonly Resource[]): (Line | string)[] {
  const count = sum(groups.map(({ Properties }) => Number(Properties.MinSize)));
  const data = of(all, 'AWS::EC2::LaunchTemplate')[0]?.Properties.LaunchTemplateData ?? {};
  const known = instancePrices[data.InstanceType];
  const gigabytes = diskGigabytes(data);
  return [
    known ? line(`instances, ${data.InstanceType}`, count, count * known.usd * HOURS) : `no list price is known for ${data.InstanceType}`,
    line(`disks of the instances, ${gigabytes} GB`, count, count * gigabytes * prices.disk.usd),
    ...(data.Monitoring?.Enabled === true
      ? [line('detailed monitoring of an instance', count, count * DETAILED_METRICS * prices.metric.usd, `${DETAILED_METRICS} metrics each`)]
      : []),
    // Behind a load balancer the fixed addresses are its own, and an instance has one besides.
    ...(data.NetworkInterfaces?.[0]?.AssociatePublicIpAddress === true && of(all, 'AWS::ElasticLoadBalancingV2::LoadBalancer').length > 0
      ? [line('public addresses of instances', count, count * prices.publicAddress.usd * HOURS)]
      : []),
  ];
}

const diskGigabytes = (data: Resource['Properties']) => sum((data.BlockDeviceMappings ?? []).map((one: Resource['Properties']) => one.Ebs?.VolumeSize ?? 0));

function images(pipelines: readonly Resource[], all: readonly Resource[]): Line[] {
  const types = of(all, 'AWS::ImageBuilder::InfrastructureConfiguration').flatMap(({ Properties }) => Properties.InstanceTypes ?? []);
  const hour = (instancePrices[types[0]] ?? instancePrices['t4g.medium']!).usd + prices.publicAddress.usd;
  const kept = of(all, 'AWS::ImageBuilder::LifecyclePolicy').flatMap(({ Properties }) =>
    Properties.PolicyDetails.map((one: Resource['Properties']) => (one.Filter.Type === 'COUNT' ? one.Filter.Value : 5)),
  );
  const count = pipelines.length;
  return [
    line('image builds', count, count * BUILDS * BUILD_HOURS * hour, `weekly, ${BUILD_HOURS} hours`),
    line('images kept', sum(kept), sum(kept) * SNAPSHOT_GIGABYTES * prices.snapshot.usd, `about ${SNAPSHOT_GIGABYTES} GB each`),
  ];
}

function certificates(all: readonly Resource[]): Line[] {
  const names = all.filter(({ Properties }) => Properties.CertificateExport === 'ENABLED').flatMap(namesOf);
  const issues = 365 / 12 / (certificateDays.validity - certificateDays.renewedBefore);
  const ofName = (name: string) => (name.startsWith('*.') ? prices.certificateWildcard : prices.certificateName).usd;
  return [line('names of exportable certificates', names.length, issues * sum(names.map(ofName)), 'valid 198 days, renewed after 153')];
}

const namesOf = ({ Properties }: Resource) => [...new Set([Properties.DomainName, ...(Properties.SubjectAlternativeNames ?? [])].map(String))];

/** Subnets of interface endpoints are the zones in which they are paid. */
function endpoints(all: readonly Resource[]): Line[] {
  const zones = all.filter(({ Properties }) => Properties.VpcEndpointType === 'Interface').map(({ Properties }) => Properties.SubnetIds.length);
  return zones.length === 0 ? [] : [line('interface endpoints, a zone each', sum(zones), sum(zones) * prices.interfaceEndpoint.usd * HOURS)];
}

const counted: Readonly<Record<string, Counted>> = {
  'AWS::AutoScaling::AutoScalingGroup': instances,
  'AWS::AutoScaling::WarmPool': (pools, all) => {
    const gigabytes = diskGigabytes(of(all, 'AWS::EC2::LaunchTemplate')[0]?.Properties.LaunchTemplateData ?? {});
    const count = sum(pools.map(({ Properties }) => Number(Properties.MinSize ?? 0)));
    return [line(`disks of instances that stand by, ${gigabytes} GB`, count, count * gigabytes * prices.disk.usd)];
  },
  // A target tracking policy keeps two alarms of its own (EC2 Auto Scaling user guide, "Target tracking scaling policies").
  'AWS::AutoScaling::ScalingPolicy': (all) => [line('alarms of scaling policies', all.length * 2, all.length * 2 * prices.alarm.usd)],
  'AWS::EC2::EIP': each('fixed public addresses', prices.publicAddress, HOURS),
  'AWS::EC2::NatGateway': each('NAT gateways', prices.natGateway, HOURS),
  'AWS::EC2::VPCEndpoint': endpoints,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': each('load balancers', prices.loadBalancer, HOURS),
  'AWS::NetworkFirewall::Firewall': (all) => {
    const zones = sum(all.map(({ Properties }) => Properties.SubnetMappings.length));
    return [line('endpoints of the network firewall', zones, zones * prices.networkFirewall.usd * HOURS)];
  },
  'AWS::ImageBuilder::ImagePipeline': images,
  'AWS::KMS::Key': each('keys, before they are rotated', prices.key),
  'AWS::SecretsManager::Secret': each('secrets', prices.secret),
  'AWS::CertificateManager::Certificate': certificates,
  'AWS::ACMPCA::CertificateAuthority': (all) =>
    all.map(({ Properties }) =>
      line('private authorities', 1, (Properties.UsageMode === 'SHORT_LIVED_CERTIFICATE' ? prices.shortLivedAuthority : prices.privateAuthority).usd),
    ),
  'AWS::CloudWatch::Alarm': (all) => {
    const metrics = sum(all.map(({ Properties }) => (Properties.Metrics ?? [0]).filter((one: Resource['Properties']) => !one.Expression).length));
    return [line('metrics of alarms', metrics, metrics * prices.alarm.usd)];
  },
  'AWS::CloudWatch::CompositeAlarm': each('composite alarms', prices.compositeAlarm),
  'AWS::CloudWatch::Dashboard': each('dashboards', prices.dashboard),
  // With a default value a metric has one in every minute in which anything is logged, and heartbeats always are.
  'AWS::Logs::MetricFilter': each('metrics counted from the audit', prices.metric),
  'AWS::Route53::HostedZone': each('hosted zones', prices.hostedZone),
  'AWS::Route53::HealthCheck': each('health checks', prices.healthCheck),
  'AWS::CodePipeline::Pipeline': each('pipelines', prices.pipeline),
};

/** Paid by what is done with them; a service that moves little pays cents. */
const byUse: Readonly<Record<string, string>> = {
  'AWS::Athena::WorkGroup': `${prices.athena.usd} USD a ${prices.athena.per}`,
  'AWS::CloudTrail::Trail': '0.10 USD for 100,000 data events',
  'AWS::CodeBuild::Project': `${prices.buildMinute.usd} USD a ${prices.buildMinute.per}`,
  'AWS::DynamoDB::Table': '0.625 USD for a million writes, 0.125 for a million reads, 0.25 a GB stored',
  'AWS::EC2::FlowLog': `${prices.logs.usd} USD a ${prices.logs.per}`,
  'AWS::EFS::FileSystem': `${prices.efsStored.usd} USD a ${prices.efsStored.per}; see what each GB costs`,
  'AWS::ElasticLoadBalancingV2::TargetGroup': `capacity units of the load balancer: ${prices.loadBalancerUnit.usd} USD an ${prices.loadBalancerUnit.per}`,
  'AWS::Events::EventBus': '1 USD for a million events of your own',
  'AWS::GuardDuty::MalwareProtectionPlan': `${prices.malwareScan.usd} USD a GB and 0.215 for 1,000 objects scanned`,
  'AWS::KinesisFirehose::DeliveryStream': `${prices.firehose.usd} USD a ${prices.firehose.per}; ${prices.firehoseConversion.usd} a ${prices.firehoseConversion.per}`,
  'AWS::Lambda::Function': '0.20 USD for a million requests, 0.0000133 a GB-second; those here run for seconds a day',
  'AWS::Logs::LogGroup': `${prices.logs.usd} USD a ${prices.logs.per}, ${prices.logsStored.usd} a ${prices.logsStored.per}`,
  'AWS::NetworkFirewall::LoggingConfiguration': `${prices.logs.usd} USD a ${prices.logs.per}`,
  'AWS::S3::Bucket': `${prices.s3Stored.usd} USD a ${prices.s3Stored.per}, 0.005 for 1,000 writes, 0.0004 for 1,000 reads`,
  'AWS::SNS::Topic': '2 USD for 100,000 mails',
  'AWS::SQS::Queue': '0.40 USD for a million requests',
};

/** Free by themselves: what they stand for is paid elsewhere in the bill, or by nobody. */
const free: ReadonlySet<string> = new Set([
  'AWS::Athena::NamedQuery',
  'AWS::Athena::PreparedStatement',
  'AWS::AutoScaling::LifecycleHook',
  'AWS::CertificateManager::Account',
  'AWS::CloudFormation::CustomResource',
  'AWS::EC2::EIPAssociation',
  'AWS::EC2::EgressOnlyInternetGateway',
  'AWS::EC2::GatewayRouteTableAssociation',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::LaunchTemplate',
  'AWS::EC2::NetworkAcl',
  'AWS::EC2::NetworkAclEntry',
  'AWS::EC2::PrefixList',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetNetworkAclAssociation',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCCidrBlock',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::EFS::AccessPoint',
  'AWS::EFS::MountTarget',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::Events::EventBusPolicy',
  'AWS::Events::Rule',
  'AWS::Glue::Database', // the first million objects of a catalogue
  'AWS::Glue::Table',
  'AWS::IAM::InstanceProfile',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IAM::ServiceLinkedRole',
  'AWS::ImageBuilder::Component',
  'AWS::ImageBuilder::DistributionConfiguration',
  'AWS::ImageBuilder::Image',
  'AWS::ImageBuilder::ImageRecipe',
  'AWS::ImageBuilder::InfrastructureConfiguration',
  'AWS::ImageBuilder::LifecyclePolicy',
  'AWS::ImageBuilder::Workflow',
  'AWS::KMS::Alias',
  'AWS::LakeFormation::PrincipalPermissions',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::Logs::LogStream',
  'AWS::Logs::QueryDefinition',
  'AWS::Logs::ResourcePolicy',
  'AWS::Logs::SubscriptionFilter',
  'AWS::NetworkFirewall::FirewallPolicy',
  'AWS::NetworkFirewall::RuleGroup',
  'AWS::Route53::RecordSet', // queries: 0.40 USD a million
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::SSM::Document',
  'AWS::SSM::Parameter', // of the standard tier
  'AWS::SecretsManager::ResourcePolicy',
]);

const isFree = (type: string) => free.has(type) || type.startsWith('Custom::');

/** The bill for these resources, which may come from several templates of one environment. */
export function billOf(all: readonly Resource[]): Bill {
  const types = [...new Set(all.map(({ Type }) => Type))].sort();
  const said = types.flatMap((type) => counted[type]?.(of(all, type), all) ?? []);
  const lines = said.filter((one): one is Line => typeof one !== 'string' && one.count > 0);
  const usd = sum(lines.map((one) => one.usd));
  const rotated = of(all, 'AWS::KMS::Key').filter(({ Properties }) => Properties.EnableKeyRotation === true).length;
  return {
    lines,
    usd,
    usdLater: usd + 2 * rotated * prices.key.usd,
    byUse: new Map(types.flatMap((type) => (byUse[type] ? [[type, byUse[type]] as const] : []))),
    unknown: types.filter((type) => !counted[type] && !byUse[type] && !isFree(type)),
    uncounted: said.filter((one): one is string => typeof one === 'string'),
  };
}
