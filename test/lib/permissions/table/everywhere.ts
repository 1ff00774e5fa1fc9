/** What every part of a kind needs, whatever it is for: read out of the templates, so that a new Lambda or log group is asked about by itself. */
import { type Deployment, type Made, QUEUES_KEY } from '../deployment';
import { type Principal, service } from '../evaluate';
import { arn, ELSEWHERE, regionOf, type Step, type Table, via } from './step';

const owner = (one: Made) => one.arn.split(':')[4]!;

/** Events and schedules start their Lambdas, and what they could not hand over goes to their queue. */
export const events: Table = (deployment) =>
  deployment.all('AWS::Events::Rule').flatMap((rule) =>
    ((rule.properties.Targets ?? []) as { Arn: string; DeadLetterConfig?: { Arn: string } }[]).flatMap(({ Arn, DeadLetterConfig }): Step[] => {
      const who = service('events.amazonaws.com', owner(rule));
      const here = { 'aws:SourceArn': rule.arn };
      const queue = DeadLetterConfig && deployment.all('AWS::SQS::Queue').find((one) => one.arn === DeadLetterConfig.Arn)!;
      return [
        ...(Arn.includes(':function:')
          ? [
              {
                step: `${rule.path} starts its Lambda`,
                who,
                page: 'Amazon EventBridge user guide, "Using resource-based policies for Amazon EventBridge", "AWS Lambda permissions"',
                may: [['lambda:InvokeFunction', Arn, here]] as const,
                not: [['lambda:InvokeFunction', Arn, { 'aws:SourceArn': arn('events', 'rule/another') }]] as const,
              },
            ]
          : []),
        ...(Arn.includes(':log-group:')
          ? [
              {
                step: `${rule.path} writes its events to a log group`,
                who,
                page: 'Amazon EventBridge user guide, "CloudWatch Logs permissions"',
                may: [['logs:CreateLogStream logs:PutLogEvents', `${Arn}:log-stream:one`, here]] as const,
              },
            ]
          : []),
        ...(queue
          ? [
              {
                step: `${rule.path} keeps what it could not hand over`,
                who,
                page: 'Amazon EventBridge user guide, "Using dead-letter queues to process undelivered events" and Amazon SQS developer guide, "Configure KMS permissions for AWS services"',
                may: [['sqs:SendMessage', queue.arn, here], ...encrypted(queue)] as const,
                not: [
                  ['sqs:SendMessage', queue.arn, { 'aws:SourceArn': arn('events', 'rule/another') }] as const,
                  ...encrypted(queue).map(([actions, key]) => [actions, key, { 'aws:SourceAccount': ELSEWHERE }] as const),
                ],
              },
            ]
          : []),
      ];
    }),
  );

/** What a service needs of the key of a queue: nothing with keys of SQS itself (SSE-SQS); the key of the account for SQS, which no service may use, otherwise. */
function encrypted(queue: Made): Step['may'] {
  const key = queue.properties.KmsMasterKeyId as string | undefined;
  if (key === undefined) return [];
  return [['kms:GenerateDataKey kms:Decrypt', key.includes('alias/aws/') ? QUEUES_KEY : key]];
}

/** Every encrypted log group is written by CloudWatch Logs with its key. */
export const logGroups: Table = (deployment) =>
  deployment.all('AWS::Logs::LogGroup').flatMap((group) => {
    const key = group.properties.KmsKeyId as string | undefined;
    if (key === undefined) return [];
    const who = service(`logs.${regionOf(group.arn)}.amazonaws.com`, owner(group));
    const context = (of: string) => ({ 'kms:EncryptionContext:aws:logs:arn': of });
    return [
      {
        step: `${group.path} is encrypted`,
        who,
        page: 'Amazon CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"',
        may: [['kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:DescribeKey', key, context(group.arn.slice(0, -2))]],
        not: [['kms:Decrypt', key, context(arn('logs', 'log-group:one', { account: ELSEWHERE }))]],
      },
    ];
  });

/** Every topic of an alarm may be told by CloudWatch, also through its key. */
export const alarms: Table = (deployment) => {
  const told = new Set(deployment.all('AWS::CloudWatch::Alarm').flatMap(({ properties }) => (properties.AlarmActions ?? []) as string[]));
  const topics = deployment.all('AWS::SNS::Topic').filter((topic) => told.has(topic.arn));
  return topics.map((topic) => {
    const key = topic.properties.KmsMasterKeyId as string;
    return {
      step: `${topic.path} hears alarms`,
      who: service('cloudwatch.amazonaws.com', owner(topic)),
      page: 'Amazon SNS developer guide, "Enable compatibility between event sources from AWS services and encrypted topics"',
      may: [
        ['sns:Publish', topic.arn],
        ['kms:GenerateDataKey kms:Decrypt', key],
      ],
      not: [
        ['sns:Publish', topic.arn, { 'aws:SourceAccount': ELSEWHERE }],
        ['kms:Decrypt', key, { 'aws:SourceAccount': ELSEWHERE }],
        ['sns:DeleteTopic', topic.arn],
      ],
    };
  });
};

/** Every Lambda of the kit logs to its own group and keeps what failed in its own queue. */
export const lambdas: Table = (deployment) =>
  deployment.all('AWS::Lambda::Function').flatMap((lambda) => {
    const { LoggingConfig, DeadLetterConfig, Role } = lambda.properties;
    if (LoggingConfig === undefined) return []; // AWS CDK's own
    const group = deployment.all('AWS::Logs::LogGroup').find(({ ref }) => ref === LoggingConfig.LogGroup)!.arn;
    const queue = DeadLetterConfig && deployment.all('AWS::SQS::Queue').find((one) => one.arn === DeadLetterConfig.TargetArn)!;
    const who: Principal = {
      name: lambda.path,
      id: Role,
      policies: deployment.identityPolicies(Role),
      context: { 'aws:PrincipalArn': Role, 'aws:PrincipalAccount': owner(lambda) },
    };
    return [
      {
        step: `${lambda.path} logs, and keeps what failed`,
        who,
        page: 'AWS Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs" and "Adding a dead-letter queue"',
        may: [
          ['logs:CreateLogStream logs:PutLogEvents', `${group.slice(0, -1)}log-stream:one`],
          ...(queue ? ([['sqs:SendMessage', queue.arn]] as const) : []),
          // Lambda sends in the name of the function's role.
          ...(queue ? encrypted(queue).map(([actions, key]) => [actions, key, via('sqs')] as const) : []),
        ],
        not: [
          ['logs:PutLogEvents', arn('logs', 'log-group:another:log-stream:one')],
          ['sqs:SendMessage', arn('sqs', 'another')],
        ],
      },
    ];
  });

/** Every role is taken by the service that it is for, and by no other account. */
export const trust: Table = (deployment) =>
  deployment.all('AWS::IAM::Role').flatMap((role) => {
    const statements = role.properties.AssumeRolePolicyDocument.Statement as { Principal: { Service?: string } }[];
    const services = statements.flatMap(({ Principal }) => Principal.Service ?? []);
    const page = 'AWS Identity and Access Management user guide, "Create a role to delegate permissions to an AWS service"';
    const stranger: Principal = {
      name: 'another account',
      id: `arn:aws:iam::${ELSEWHERE}:role/stranger`,
      policies: [{ name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }],
      context: {},
    };
    return [
      ...services.map((name) => ({
        step: `${role.path} is taken by ${name}`,
        who: service(name, owner(role)),
        page,
        may: [['sts:AssumeRole', role.arn, { 'aws:SourceArn': arn(name.split('.')[0]!, 'one', { account: owner(role) }) }]] as const,
      })),
      { step: `${role.path} is taken by no other account`, who: stranger, page, may: [], not: [['sts:AssumeRole', role.arn]] as const },
    ];
  });

/** AWS CDK's own Lambdas, which CloudFormation runs while a stack is made. */
export const customResources: Table = (deployment) =>
  deployment.all('AWS::IAM::Role').flatMap((role): Step[] => {
    const who: Principal = { name: role.path, id: role.arn, policies: deployment.identityPolicies(role.arn), context: { 'aws:PrincipalArn': role.arn } };
    const own: Step = {
      step: `${role.path} logs`,
      who,
      page: 'AWS Managed Policy Reference Guide, "AWSLambdaBasicExecutionRole"',
      may: [
        [
          'logs:CreateLogStream logs:PutLogEvents',
          `arn:aws:logs:${regionOf(deployment.all('AWS::Lambda::Function')[0]!.arn)}:${owner(role)}:log-group:one:log-stream:one`,
        ],
      ],
    };
    if (/TriggerCustomResourceProvider/.test(role.path)) {
      const started = deployment
        .all('Custom::Trigger')
        .filter(({ path }) => path.split('/')[0] === role.path.split('/')[0])
        .map(({ properties }) => properties.HandlerArn as string);
      return [
        own,
        {
          step: 'A trigger runs its Lambda while the stack is made',
          who,
          page: 'AWS CDK API reference, "aws-cdk-lib.triggers"',
          may: started.map((one) => ['lambda:InvokeFunction', one.startsWith('arn:') ? one : lambdaVersion(deployment, one)] as const),
          not: [['lambda:InvokeFunction', arn('lambda', 'function:another:1')]],
        },
      ];
    }
    if (/VpcRestrictDefaultSG/.test(role.path)) {
      const group = arn(
        'ec2',
        `security-group/${deployment.all('AWS::EC2::VPC').find(({ path }) => path.startsWith(role.path.split('/').slice(0, 2).join('/')))!.ref}.DefaultSecurityGroup`,
      );
      const actions = ['Authorize', 'Revoke'].flatMap((verb) => ['Ingress', 'Egress'].map((way) => `ec2:${verb}SecurityGroup${way}`)).join(' ');
      return [
        own,
        {
          step: 'The default security group is emptied',
          who,
          page: 'AWS CDK API reference, "VpcProps.restrictDefaultSecurityGroup"',
          may: [[actions, group]],
          not: [[actions, arn('ec2', 'security-group/sg-another')]],
        },
      ];
    }
    return [];
  });

function lambdaVersion(deployment: Deployment, ref: string): string {
  const version = deployment.all('AWS::Lambda::Version').find((one) => one.ref === ref)!;
  return `${deployment.all('AWS::Lambda::Function').find((one) => one.ref === version.properties.FunctionName)!.arn}:1`;
}
