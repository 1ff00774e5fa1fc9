import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate, KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ServerCertificate } from '../../../lib';
import { env, type Resources, testStack } from '../support';

const domainName = 'ftps.example.com';

describe('a public certificate', () => {
  const { stack, hostedZone } = testStack();
  const certificate = ServerCertificate.publicAcm(stack, 'Certificate', {
    domainName,
    alternativeNames: ['files.example.com'],
    hostedZone,
    keyAlgorithm: KeyAlgorithm.EC_PRIME256V1,
  });
  const fleet = new Role(stack, 'Fleet', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
  certificate.grantRead(fleet);
  const template = Template.fromStack(stack);

  it('is exportable, validated in the zone, of the kind and for the names asked for', () => {
    template.hasResourceProperties('AWS::CertificateManager::Certificate', {
      CertificateExport: 'ENABLED',
      ValidationMethod: 'DNS',
      KeyAlgorithm: 'EC_prime256v1',
      SubjectAlternativeNames: ['files.example.com'],
    });
    template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { NAMES: 'ftps.example.com,files.example.com' } } });
  });

  it('is written by the Lambda alone, and read by it and the fleet alone', () => {
    const [policy] = Object.values(template.findResources('AWS::SecretsManager::ResourcePolicy') as Resources);
    const exceptions = policy.Properties.ResourcePolicy.Statement.map(({ Effect, Action, Condition }: Resources) => [
      Effect,
      [Action].flat()[0],
      Condition.ArnNotEquals['aws:PrincipalArn'].map((role: Resources) => role['Fn::Sub'] ?? role['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, '')),
    ]);
    expect(exceptions).toEqual([
      ['Deny', 'secretsmanager:PutSecretValue', ['CertificateRotatedRotationRole']],
      // Else a new tag of the environment ends in UPDATE_ROLLBACK_FAILED.
      [
        'Deny',
        'secretsmanager:UpdateSecret',
        ['CertificateRotatedRotationRole', expect.stringMatching(/^arn:\$\{AWS::Partition\}:iam::.*:role\/cdk-hnb659fds-cfn-exec-role-/)],
      ],
      ['Deny', 'secretsmanager:GetSecretValue', ['CertificateRotatedRotationRole', 'Fleet']],
    ]);
  });

  it('is rotated by events of ACM, once a day and at the first deployment, and alarmed', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({ 'detail-type': Match.arrayWith(['ACM Certificate Available', 'ACM Certificate Revoked']) }),
    });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 day)' });
    template.resourceCountIs('Custom::Trigger', 1);
    const thresholds = Object.values(template.findResources('AWS::CloudWatch::Alarm') as Resources)
      .filter(({ Properties }) => Properties.MetricName === 'CertificateDaysLeft')
      .map(({ Properties }) => Properties.Threshold);
    expect(thresholds.sort((one: number, other: number) => one - other)).toEqual([1, 7, 14, 30]);
  });
});

describe('a private certificate', () => {
  it('comes through ACM from a new root that is active before, and that ACM may renew with', () => {
    const { stack } = testStack();
    ServerCertificate.privateCa(stack, 'Certificate', { domainName });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::ACMPCA::CertificateAuthority', { UsageMode: 'GENERAL_PURPOSE', Type: 'ROOT' });
    template.resourceCountIs('AWS::ACMPCA::Permission', 1);
    const [certificate] = Object.values(template.findResources('AWS::CertificateManager::Certificate') as Resources);
    expect(certificate.DependsOn.join()).toContain('Activation');
  });

  it('of a short-lived authority is issued by the Lambda, because ACM can not', () => {
    const { stack } = testStack();
    ServerCertificate.privateCa(stack, 'Certificate', { domainName, shortLived: true });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::ACMPCA::CertificateAuthority', { UsageMode: 'SHORT_LIVED_CERTIFICATE' });
    template.resourceCountIs('AWS::CertificateManager::Certificate', 0);
    template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { VALIDITY_DAYS: '7', KEY_ALGORITHM: 'RSA_2048' } } });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(6 hours)' });
  });
});

it('a secret of somebody else is read as it is, and nothing rotates it', () => {
  const { stack } = testStack();
  const certificate = ServerCertificate.fromSecret(stack, 'Certificate', Secret.fromSecretNameV2(stack, 'Theirs', 'theirs'));
  certificate.grantRead(new Role(stack, 'Fleet', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
  expect(certificate.rotationFunction).toBeUndefined();
  expect(() => certificate.metricDaysLeft()).toThrow(/filled in by somebody else/);
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 0);
});

it('every kind passes AWS Solutions', () => {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new Stack(app, 'Test', { env });
  ServerCertificate.privateCa(stack, 'Private', { domainName });
  ServerCertificate.privateCa(stack, 'ShortLived', { domainName, shortLived: true });
  const certificate = Certificate.fromCertificateArn(stack, 'Acm', 'arn:aws:acm:eu-central-1:111122223333:certificate/1');
  ServerCertificate.fromAcm(stack, 'Existing', { certificate, names: [domainName] });
  const report = JSON.parse(readFileSync(join(app.synth().directory, 'validation-report.json'), 'utf8'));
  const findings = report.pluginReports.flatMap(({ pluginName, violations }: Resources) =>
    violations.map((violation: Resources) => `${pluginName}: ${violation['ruleName']}`),
  );
  expect(findings.filter((finding: string) => !finding.includes('CloudFormation Validate'))).toEqual([]);
});
