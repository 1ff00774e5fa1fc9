import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { AuditLog, ServiceAlarms, ServiceDashboard } from '../../../lib';
import { auditColumns } from '../../../lib/logs/audit-columns';
import { env, nagFindings, type Resources } from '../support';

let auditLog: AuditLog;
const template = Template.fromStack(watchedLogs(new Stack(new App(), 'Logs', { env })));

function watchedLogs(stack: Stack): Stack {
  auditLog = new AuditLog(stack, 'Logs', { archiveRetention: Duration.days(400) });
  const { alarms } = new ServiceAlarms(stack, 'Alarms', { auditLog, instances: 3, emails: ['ops@example.com'] });
  new ServiceDashboard(stack, 'Dashboard', { auditLog, title: 'ftps.example.com', alarms });
  return stack;
}

it('passes AWS Solutions, HIPAA, NIST 800-53 and PCI DSS, each exception being accepted by name and with its reason', () => {
  expect(nagFindings(watchedLogs)).toEqual([]);
  // A bucket without anything is found by all four.
  const packs = nagFindings((stack) => new Bucket(stack, 'Bare')).map((finding) => finding.split(':')[0]);
  expect(packs).toEqual(expect.arrayContaining(['AwsSolutions', 'HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321']));
});

describe('the groups', () => {
  it('are encrypted, kept for a year, and stay when the stack goes', () => {
    for (const group of Object.values(template.findResources('AWS::Logs::LogGroup') as Resources)) {
      expect(group.Properties).toMatchObject({ KmsKeyId: expect.anything(), RetentionInDays: 365 });
      expect(group.DeletionPolicy).toBe('Retain');
    }
    template.resourceCountIs('AWS::Logs::LogGroup', 2);
  });

  it('get the audit and the log of the system, a stream an instance', () => {
    const settings = JSON.parse(auditLog.agentSettings());
    expect(settings.logs.logs_collected.files.collect_list).toMatchObject([
      { file_path: '/var/log/ftps/audit.json', log_stream_name: '{instance_id}' },
      { file_path: '/var/log/messages', log_stream_name: '{instance_id}' },
    ]);
  });
});

describe('the archive', () => {
  it('is locked for as long as asked, encrypted, logged, and empties itself a day later', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 400 } } },
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }] },
      LoggingConfiguration: Match.objectLike({ LogFilePrefix: 'archive/' }),
      LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 401 })] },
    });
  });

  it('gets every line as Parquet, in the columns of the table, and as it came', () => {
    template.hasResourceProperties('AWS::KinesisFirehose::DeliveryStream', {
      ExtendedS3DestinationConfiguration: Match.objectLike({
        Prefix: 'audit/day=!{timestamp:yyyy-MM-dd}/',
        S3BackupMode: 'Enabled',
        S3BackupConfiguration: Match.objectLike({ Prefix: 'raw/day=!{timestamp:yyyy-MM-dd}/' }),
        DataFormatConversionConfiguration: Match.objectLike({ Enabled: true, OutputFormatConfiguration: { Serializer: { ParquetSerDe: Match.anyValue() } } }),
        ProcessingConfiguration: {
          Enabled: true,
          Processors: [Match.objectLike({ Type: 'Decompression' }), Match.objectLike({ Type: 'CloudWatchLogProcessing' })],
        },
      }),
    });
    const [table] = Object.values(template.findResources('AWS::Glue::Table') as Resources);
    expect(table.Properties.TableInput.StorageDescriptor.Columns.map(({ Name, Type }: Resources) => `${Name} ${Type}`)).toEqual(
      auditColumns().map(({ name, type }) => `${name} ${type}`),
    );
  });

  it('is left out with 0 days, and a wrong number is named', () => {
    const other = new Stack(new App(), 'Other', { env });
    new AuditLog(other, 'Logs', { archiveRetention: Duration.days(0) });
    Template.fromStack(other).resourceCountIs('AWS::KinesisFirehose::DeliveryStream', 0);
    expect(() => new AuditLog(other, 'Wrong', { archiveRetention: Duration.hours(12) })).toThrow(/12 hours.*cannot be converted into a whole number of days/);
  });

  it('can be asked by whoever is granted it, in its workgroup alone', () => {
    const workGroups = Object.values(template.findResources('AWS::Athena::WorkGroup') as Resources);
    expect(workGroups[0].Properties.WorkGroupConfiguration).toMatchObject({ EnforceWorkGroupConfiguration: true });
    const names = Object.values(template.findResources('AWS::Athena::NamedQuery') as Resources).map(({ Properties }) => Properties.Name);
    expect(names).toEqual(expect.arrayContaining(['who-downloaded-a-file', 'tls-upgrades-of-an-account', 'handshake-failures-by-reason']));
  });
});

describe('the alarms', () => {
  const all = Object.values(template.findResources('AWS::CloudWatch::Alarm') as Resources).map(({ Properties }) => Properties);

  it('each tell the topic when they begin and when they end', () => {
    for (const { AlarmActions, OKActions } of all) expect([AlarmActions, OKActions]).toEqual([[expect.anything()], [expect.anything()]]);
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  });

  it('watch what the metric filters count, and nothing that nobody counts', () => {
    const counted = Object.values(template.findResources('AWS::Logs::MetricFilter') as Resources).map(
      ({ Properties }) => Properties.MetricTransformations[0].MetricName,
    );
    const watched = all.filter(({ Namespace }) => Namespace === 'CdkFtps').map(({ MetricName }) => MetricName);
    expect(counted).toEqual(expect.arrayContaining(watched));
    expect(watched.length).toBeGreaterThan(15);
  });

  it('notice one silent instance of three', () => {
    const silence = all.find(({ AlarmDescription }) => AlarmDescription.includes('silent'));
    const healthy = 3 * 5; // in each five minutes of the quarter of an hour
    const oneSilent = 2 * 5;
    expect(silence).toMatchObject({ ComparisonOperator: 'LessThanThreshold', EvaluationPeriods: 3 });
    expect(silence.Threshold).toBeGreaterThan(oneSilent + 2);
    expect(silence.Threshold).toBeLessThan(healthy - 2);
  });

  it('refuse heartbeats too seldom to notice silence by', () => {
    const own = new Stack(new App(), 'Own', { env });
    const log = new AuditLog(own, 'Logs', { archiveRetention: Duration.days(0) });
    expect(() => new ServiceAlarms(own, 'Alarms', { auditLog: log, heartbeatInterval: Duration.minutes(10) })).toThrow(
      /heartbeatInterval: 600 seconds are too seldom/,
    );
  });

  it('see an attack in two signs at once, or in malware', () => {
    const [attack] = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm') as Resources);
    expect(JSON.stringify(attack.Properties.AlarmRule)).toMatch(/AT_LEAST\(2,/);
  });

  it('take an alarm of yours, which calls the same people', () => {
    const own = new Stack(new App(), 'Own', { env });
    const log = new AuditLog(own, 'Logs', { archiveRetention: Duration.days(0) });
    new ServiceAlarms(own, 'Alarms', { auditLog: log }).addAlarm('Quiet', log.metricUploads(), 1_000, 'Very many uploads.');
    Template.fromStack(own).hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: 'FTPS: Very many uploads.',
      Threshold: 1_000,
      AlarmActions: [Match.anyValue()],
      OKActions: [Match.anyValue()],
    });
  });
});

it('the topic hears CloudWatch over TLS and is encrypted', () => {
  const [policy] = Object.values(template.findResources('AWS::SNS::TopicPolicy') as Resources);
  const statements: Resources[] = policy.Properties.PolicyDocument.Statement;
  expect(statements).toContainEqual(expect.objectContaining({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish' }));
  expect(statements).toContainEqual(expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
  template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
});

it('the dashboard counts every open session once, however long the period that is looked at', () => {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard') as Resources);
  expect(JSON.stringify(dashboard.Properties.DashboardBody)).toContain('sessions * 60 / PERIOD(sessions)');
});

it('an alarm of another construct is taken up, and tells the same topic', () => {
  const own = new Stack(new App(), 'Own', { env });
  const log = new AuditLog(own, 'Logs', { archiveRetention: Duration.days(0) });
  const service = new ServiceAlarms(own, 'Alarms', { auditLog: log });
  const part = new Construct(own, 'Part');
  new Alarm(part, 'Late', { metric: log.metricUploads(), threshold: 1, evaluationPeriods: 1 });
  service.adopt(part);
  service.adopt(part);
  const late = Object.entries(Template.fromStack(own).findResources('AWS::CloudWatch::Alarm') as Resources).find(([id]) => id.startsWith('PartLate'))!;
  expect(late[1].Properties.AlarmActions).toHaveLength(1);
  expect(service.alarms.filter(({ node }) => node.id === 'Late')).toHaveLength(1);
});
