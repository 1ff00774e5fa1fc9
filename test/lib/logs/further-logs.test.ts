import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AuditLog, SecurityLakeDelivery } from '../../../lib';
import { env, nagFindings, type Resources } from '../support';

const testStack = () => new Stack(new App(), 'Logs', { env });

describe('data events', () => {
  it('are recorded of the archive, and of buckets that are added, by one trail without management events', () => {
    const stack = testStack();
    const auditLog = new AuditLog(stack, 'Logs', { dataEvents: true });
    auditLog.addDataEvents(Bucket.fromBucketName(stack, 'Files', 'partner-files'));
    const template = Template.fromStack(stack);
    const [trail] = Object.values(template.findResources('AWS::CloudTrail::Trail') as Resources);
    expect(trail.Properties).toMatchObject({ EnableLogFileValidation: true, IsMultiRegionTrail: false, KMSKeyId: expect.anything() });
    const watched = trail.Properties.EventSelectors.map(({ IncludeManagementEvents, DataResources }: Resources) => [
      IncludeManagementEvents,
      DataResources[0].Type,
    ]);
    expect(watched).toEqual([
      [false, 'AWS::S3::Object'],
      [false, 'AWS::S3::Object'],
    ]);
    expect(JSON.stringify(trail.Properties.EventSelectors)).toContain('partner-files');
  });

  it('are not recorded unless asked for', () => {
    const stack = testStack();
    new AuditLog(stack, 'Logs');
    Template.fromStack(stack).resourceCountIs('AWS::CloudTrail::Trail', 0);
  });
});

it('flow logs of a VPC go to a group of their own, encrypted and kept like the audit', () => {
  const stack = testStack();
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, restrictDefaultSecurityGroup: false });
  new AuditLog(stack, 'Logs', { archiveRetention: Duration.days(0) }).addFlowLogs('Flows', vpc);
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::EC2::FlowLog', { ResourceType: 'VPC', TrafficType: 'ALL' });
  for (const { Properties } of Object.values(template.findResources('AWS::Logs::LogGroup') as Resources)) expect(Properties).toHaveProperty('KmsKeyId');
});

describe('Security Lake', () => {
  const lake = (stack: Stack) => Bucket.fromBucketName(stack, 'Lake', 'aws-security-data-lake-eu-central-1-example');

  it('gets each class of line below the prefix of its source, by region, account and day', () => {
    const stack = testStack();
    const { sourceNames } = new SecurityLakeDelivery(stack, 'Lake-delivery', { auditLog: new AuditLog(stack, 'Logs'), lakeBucket: lake(stack) });
    expect(sourceNames).toEqual(['ftps-3002', 'ftps-4001', 'ftps-4002', 'ftps-4007', 'ftps-4008', 'ftps-6002']);
    Template.fromStack(stack).hasResourceProperties('AWS::KinesisFirehose::DeliveryStream', {
      ExtendedS3DestinationConfiguration: Match.objectLike({
        Prefix: 'ext/ftps-!{partitionKeyFromQuery:class_uid}/1.0/region=eu-central-1/accountId=111122223333/eventDay=!{timestamp:yyyyMMdd}/',
        DynamicPartitioningConfiguration: Match.objectLike({ Enabled: true }),
        DataFormatConversionConfiguration: Match.objectLike({ Enabled: true }),
      }),
    });
  });

  it('names what is wrong', () => {
    const stack = testStack();
    const without = new AuditLog(stack, 'Without', { archiveRetention: Duration.days(0) });
    const lakeBucket = lake(stack);
    expect(() => new SecurityLakeDelivery(stack, 'A', { auditLog: without, lakeBucket })).toThrow(/auditLog: has no archive/);
    const auditLog = new AuditLog(stack, 'Logs');
    expect(() => new SecurityLakeDelivery(stack, 'B', { auditLog, lakeBucket, sourcePrefix: 'much too long a name' })).toThrow(/sourcePrefix: "much/);
  });
});

it('all of it passes AWS Solutions, HIPAA, NIST 800-53 and PCI DSS', () => {
  const findings = nagFindings((stack) => {
    const auditLog = new AuditLog(stack, 'Logs', { dataEvents: true });
    const lakeBucket = Bucket.fromBucketName(stack, 'Lake', 'aws-security-data-lake-eu-central-1-example');
    new SecurityLakeDelivery(stack, 'Delivery', { auditLog, lakeBucket });
  });
  expect(findings).toEqual([]);
});
