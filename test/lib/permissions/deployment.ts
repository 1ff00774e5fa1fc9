/** What CloudFormation would make of the templates of an app: names and ARNs in place of references, and the policies of every role, key, bucket, queue, topic and secret. */
import type { App, Stack } from 'aws-cdk-lib';
import { KEY_POLICY } from '../../../lib/encryption/key-policy-metadata';
import managed from './managed-policies.json';

// biome-ignore lint/suspicious/noExplicitAny: what a template holds is read as it stands
type Json = any;

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | string[];
  readonly Resource?: string | string[];
  readonly [element: string]: unknown;
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

export interface Made {
  readonly path: string;
  readonly type: string;
  readonly arn: string;
  readonly ref: string;
  readonly account: string;
  readonly properties: Json;
}

/** What an attribute or a name looks like, for the types that policies speak of. */
const ARNS: Readonly<Record<string, (name: string, place: string) => string>> = {
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name}`,
  'AWS::KMS::Key': (name, place) => `arn:aws:kms:${place}:key/${name}`,
  'AWS::IAM::Role': (name, place) => `arn:aws:iam::${place.split(':')[1]}:role/${name}`,
  'AWS::Lambda::Function': (name, place) => `arn:aws:lambda:${place}:function:${name}`,
  'AWS::Logs::LogGroup': (name, place) => `arn:aws:logs:${place}:log-group:${name}:*`,
  'AWS::SQS::Queue': (name, place) => `arn:aws:sqs:${place}:${name}`,
  'AWS::SNS::Topic': (name, place) => `arn:aws:sns:${place}:${name}`,
  'AWS::SecretsManager::Secret': (name, place) => `arn:aws:secretsmanager:${place}:secret:${name}-a1B2c3`,
  'AWS::EFS::FileSystem': (name, place) => `arn:aws:elasticfilesystem:${place}:file-system/${name}`,
  'AWS::DynamoDB::Table': (name, place) => `arn:aws:dynamodb:${place}:table/${name}`,
  'AWS::Events::Rule': (name, place) => `arn:aws:events:${place}:rule/${name}`,
  'AWS::Events::EventBus': (name, place) => `arn:aws:events:${place}:event-bus/${name}`,
  'AWS::CertificateManager::Certificate': (name, place) => `arn:aws:acm:${place}:certificate/${name}`,
  'AWS::Glue::Table': (name, place) => `arn:aws:glue:${place}:table/${name}`,
  'AWS::ACMPCA::CertificateAuthority': (name, place) => `arn:aws:acm-pca:${place}:certificate-authority/${name}`,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': (name, place) => `arn:aws:elasticloadbalancing:${place}:loadbalancer/net/${name}/0123456789abcdef`,
  'AWS::KinesisFirehose::DeliveryStream': (name, place) => `arn:aws:firehose:${place}:deliverystream/${name}`,
  'AWS::CodeBuild::Project': (name, place) => `arn:aws:codebuild:${place}:project/${name}`,
  'AWS::CodePipeline::Pipeline': (name, place) => `arn:aws:codepipeline:${place}:${name}`,
  'AWS::CloudWatch::Alarm': (name, place) => `arn:aws:cloudwatch:${place}:alarm:${name}`,
};
/** Types whose `Ref` is the ARN. */
const REF_IS_ARN = [
  'AWS::SNS::Topic',
  'AWS::SecretsManager::Secret',
  'AWS::CertificateManager::Certificate',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ACMPCA::CertificateAuthority',
];
const NAMES = [
  'BucketName',
  'LogGroupName',
  'RoleName',
  'Name',
  'FunctionName',
  'QueueName',
  'TopicName',
  'TableName',
  'DeliveryStreamName',
  'AutoScalingGroupName',
];
const IDS: Readonly<Record<string, string>> = {
  'AWS::EFS::FileSystem': 'fs-',
  'AWS::EC2::LaunchTemplate': 'lt-',
  'AWS::EC2::VPC': 'vpc-',
  'AWS::EC2::Subnet': 'subnet-',
  'AWS::EC2::SecurityGroup': 'sg-',
};

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';

/** The key that AWS keeps for the queues of an account (alias/aws/sqs); its policy is AWS's and can't be changed: principals of the account, through SQS. No service is one. */
export const QUEUES_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/aws-managed-for-sqs`;
const keyOfQueues: Statement[] = [
  {
    Effect: 'Allow',
    Principal: { AWS: '*' },
    Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:CreateGrant', 'kms:DescribeKey'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT, 'kms:ViaService': `sqs.${REGION}.amazonaws.com` } },
  },
];

export class Deployment {
  /** The key that everything is encrypted by, where it is one that others look after. */
  oneKey: string | undefined;
  private readonly made = new Map<string, Made>();
  private readonly identity = new Map<string, NamedPolicy[]>();
  private readonly resource = new Map<string, Statement[]>();

  constructor(app: App) {
    const stacks = app.node.findAll().filter((one): one is Stack => 'templateOptions' in one && 'stackName' in one);
    const assembly = app.synth();
    const nested = (at: Json): Json[] => [at, ...at.nestedAssemblies.flatMap((one: Json) => nested(one.nestedAssembly))];
    const artifacts = nested(assembly).flatMap((one) => one.stacks as Json[]);
    const templates = stacks.map((stack) => ({
      region: stack.region.includes('Token') ? REGION : stack.region,
      account: stack.account.includes('Token') ? ACCOUNT : stack.account,
      name: stack.stackName,
      template: artifacts.find(({ stackName }) => stackName === stack.stackName)!.template as Json,
    }));
    const outputs = new Map<string, () => Json>();
    for (const at of templates)
      for (const [id, { Value }] of Object.entries(at.template.Outputs ?? {}) as [string, Json][])
        outputs.set(`${at.name}.${id}`, () => new Resolver(at, this.made, outputs).resolve(Value));
    this.resource.set(QUEUES_KEY, keyOfQueues);
    for (const at of templates) this.name(at, new Resolver(at, this.made, outputs));
    for (const at of templates) this.read(at, new Resolver(at, this.made, outputs));
    // The key of another team has the statements that were printed for it, and nothing else: no word of the account as a whole.
    for (const at of templates)
      for (const [key, statements] of Object.entries((at.template.Metadata?.[KEY_POLICY] ?? {}) as Json)) {
        const text = JSON.stringify(statements).replaceAll(/<(AWS::\w+)>/g, (_, name: string) => `\${${name}}`);
        const filled = new Resolver(at, this.made, outputs).resolve({ 'Fn::Sub': text });
        this.resource.set(key, [...(this.resource.get(key) ?? []), ...JSON.parse(filled)]);
        this.oneKey = key;
      }
  }

  /** A key that is there already, whose policy lets the account decide, as that of a key that somebody makes by hand. */
  addKey(arn: string): void {
    this.resource.set(arn, [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }]);
  }

  /** The one resource of that type whose construct path ends so. */
  of(type: string, path: string | RegExp): Made {
    const found = this.all(type).filter((one) =>
      typeof path === 'string' ? one.path.replace(/\/(Resource|Default)$/, '').endsWith(path) : path.test(one.path),
    );
    if (found.length !== 1)
      throw new Error(
        `${found.length} of ${type} at ${path}; there are ${this.all(type)
          .map((one) => one.path)
          .join(', ')}`,
      );
    return found[0]!;
  }

  /** ARN of the key of a part: its own, or the one that everything has. */
  key(path: string): string {
    return this.oneKey ?? this.of('AWS::KMS::Key', path).arn;
  }

  /** What holds only where parts have keys of their own. */
  apart<T>(...rows: T[]): T[] {
    return this.oneKey === undefined ? rows : [];
  }

  all(type: string): Made[] {
    return [...this.made.values()].filter((one) => one.type === type);
  }

  identityPolicies(roleArn: string): readonly NamedPolicy[] {
    return this.identity.get(roleArn) ?? [];
  }

  /** Account of a bucket of the deployment, whose ARN does not name it. */
  ownerOf(arn: string): string | undefined {
    return this.all('AWS::S3::Bucket').find((one) => arn === one.arn || arn.startsWith(`${one.arn}/`))?.account;
  }

  /** The policy of the resource itself: of the bucket of an object, of the group of a log stream. */
  resourcePolicy(arn: string): Policy | undefined {
    const owners = [...this.resource.keys()].filter((one) => arn === one || arn.startsWith(one.endsWith('*') ? one.slice(0, -1) : `${one}/`));
    const Statement = owners.flatMap((one) => this.resource.get(one)!);
    return Statement.length === 0 ? undefined : { Version: '2012-10-17', Statement };
  }

  private name({ name: stackName, template, region, account }: At, resolver: Resolver): void {
    const named = Object.entries(template.Resources as Record<string, Json>);
    for (const [id, { Type, Properties = {}, Metadata }] of named) {
      const given =
        Type === 'AWS::IAM::Policy'
          ? undefined
          : NAMES.map((key) => Properties[key] ?? Properties.TableInput?.[key])
              .map((value) => (JSON.stringify(value)?.includes('AWS::StackId') ? resolver.resolve(value) : value))
              .find((value) => typeof value === 'string');
      const ref = given ?? (IDS[Type] ? `${IDS[Type]}${id}` : Type === 'AWS::S3::Bucket' ? `${stackName}-${id}`.toLowerCase() : `${stackName}-${id}`);
      const arn = ARNS[Type]?.(ref, `${region}:${account}`) ?? `arn:aws:${Type.split('::')[1]?.toLowerCase()}:${region}:${account}:${ref}`;
      const path = String(Metadata?.['aws:cdk:path'] ?? id);
      this.made.set(`${stackName}.${id}`, { path, type: Type, arn, ref: REF_IS_ARN.includes(Type) ? arn : ref, account, properties: undefined });
    }
    for (const [id, { Properties = {} }] of named) {
      const made = this.made.get(`${stackName}.${id}`)!;
      (made as { properties: Json }).properties = new Proxy({}, { get: (_, key) => resolver.resolve(Properties[key as string]) });
    }
  }

  private read({ name: stackName, template }: At, resolver: Resolver): void {
    const on = (arn: string, statements: Statement[]) => this.resource.set(arn, [...(this.resource.get(arn) ?? []), ...statements]);
    const to = (arn: string, policy: NamedPolicy) => this.identity.set(arn, [...(this.identity.get(arn) ?? []), policy]);
    const byRef = (ref: string, type: string) => this.all(type).find((one) => one.ref === ref)!.arn;
    for (const [id, { Type, Properties: raw = {} }] of Object.entries(template.Resources as Record<string, Json>)) {
      const made = this.made.get(`${stackName}.${id}`)!;
      const get = (key: string) => resolver.resolve(raw[key]);
      if (Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::ManagedPolicy')
        for (const role of get('Roles') ?? []) to(byRef(role, 'AWS::IAM::Role'), { name: made.path, policy: get('PolicyDocument') });
      if (Type === 'AWS::IAM::Role') {
        for (const { PolicyName, PolicyDocument } of get('Policies') ?? []) to(made.arn, { name: `${made.path}/${PolicyName}`, policy: PolicyDocument });
        for (const arn of get('ManagedPolicyArns') ?? []) if (isManaged(arn)) to(made.arn, { name: arn, policy: managedPolicy(arn.split('/').at(-1)) });
        on(
          made.arn,
          get('AssumeRolePolicyDocument').Statement.map((one: Statement) => one),
        );
      }
      if (Type === 'AWS::KMS::Key') on(made.arn, get('KeyPolicy').Statement);
      if (Type === 'AWS::S3::BucketPolicy') on(byRef(get('Bucket'), 'AWS::S3::Bucket'), get('PolicyDocument').Statement);
      if (Type === 'AWS::SNS::TopicPolicy') for (const topic of get('Topics')) on(topic, get('PolicyDocument').Statement);
      if (Type === 'AWS::SQS::QueuePolicy') for (const queue of get('Queues')) on(byRef(queue, 'AWS::SQS::Queue'), get('PolicyDocument').Statement);
      if (Type === 'AWS::SecretsManager::ResourcePolicy') on(get('SecretId'), get('ResourcePolicy').Statement);
      if (Type === 'AWS::EFS::FileSystem' && raw.FileSystemPolicy) on(made.arn, get('FileSystemPolicy').Statement);
      if (Type === 'AWS::Logs::ResourcePolicy')
        for (const statement of JSON.parse(get('PolicyDocument')).Statement) for (const arn of [statement.Resource].flat()) on(arn, [statement]);
      if (Type === 'AWS::Lambda::Permission')
        on(get('FunctionName'), [
          {
            Effect: 'Allow',
            Principal: { Service: get('Principal') },
            Action: get('Action'),
            Resource: get('FunctionName'),
            Condition: {
              ...(raw.SourceArn ? { ArnLike: { 'aws:SourceArn': get('SourceArn') } } : {}),
              ...(raw.SourceAccount ? { StringEquals: { 'aws:SourceAccount': get('SourceAccount') } } : {}),
            },
          },
        ]);
    }
  }
}

interface At {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly template: Json;
}

/** The intrinsic functions of CloudFormation, as far as templates of the kit use them. */
class Resolver {
  constructor(
    private readonly at: At,
    private readonly made: ReadonlyMap<string, Made>,
    private readonly outputs: ReadonlyMap<string, () => Json>,
  ) {}

  resolve(value: Json): Json {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one));
    if (typeof value !== 'object' || value === null) return value;
    const [[intrinsic = '', argument] = []] = Object.entries(value) as [string, Json][];
    switch (Object.keys(value).length === 1 ? intrinsic : '') {
      case 'Ref':
        return this.reference(argument);
      case 'Fn::GetAtt':
        return this.attribute(argument);
      case 'Fn::Join':
        return this.resolve(argument[1]).join(argument[0]);
      case 'Fn::Sub':
        return String(Array.isArray(argument) ? argument[0] : argument).replaceAll(/\$\{([^!}][^}]*)\}/g, (_, name: string) =>
          name.includes('.') ? this.attribute(name.split('.')) : String(this.reference(name)),
        );
      case 'Fn::Select':
        return this.resolve(argument[1])[argument[0]];
      case 'Fn::Split':
        return String(this.resolve(argument[1])).split(argument[0]);
      case 'Fn::GetStackOutput':
        return this.outputs.get(`${argument.StackName}.${argument.OutputName}`)?.();
      default:
        return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.resolve(one)]));
    }
  }

  private reference(name: string): Json {
    const { region, account, name: stack, template } = this.at;
    const pseudo: Record<string, string> = {
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${account}:stack/${stack}/0`,
    };
    return pseudo[name] ?? this.made.get(`${stack}.${name}`)?.ref ?? template.Parameters?.[name]?.Default ?? name;
  }

  private attribute([id, attribute]: string[]): Json {
    const one = this.made.get(`${this.at.name}.${id}`);
    if (attribute === 'Arn' || attribute === 'TopicArn') return one?.arn;
    if (attribute === 'QueueName' || attribute === 'TopicName') return one?.ref;
    return `${one?.ref ?? id}.${attribute}`;
  }
}

const isManaged = (arn: Json) => typeof arn === 'string' && arn.startsWith('arn:aws:iam::aws:policy/');

/** What AWS wrote into a policy of its own, as recorded in managed-policies.json. */
export function managedPolicy(name: string): Policy {
  const found = (managed.policies as Record<string, { document: Json }>)[name];
  if (!found) throw new Error(`managed-policies.json has no ${name}; bring its text, version and source in`);
  return found.document as Policy;
}
