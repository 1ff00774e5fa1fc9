/** Every grant gives back a Grant, and a service takes part in grants and rules of other constructs. */
import { Template } from 'aws-cdk-lib/assertions';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { FileStorage, FtpsService, SecretAccounts } from '../../lib';
import { inboundRules, testStack } from './support';

const { stack, hostedZone } = testStack();
const storage = FileStorage.localDisk(stack, 'Disk');
const accounts = new SecretAccounts(stack, 'Accounts');
const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  instances: 1,
  storage,
  accounts,
});

it('says whether it gave something', () => {
  const role = new Role(stack, 'Operator', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const grants = [
    accounts.grantRead(role),
    accounts.grantManage(role),
    service.sessionLog.grantStart(role),
    service.auditLog.grantWrite(role),
    service.auditLog.archive!.grantQuery(role),
    service.certificate.grantRead(role),
  ];
  for (const grant of grants) expect(grant).toBeInstanceOf(Grant);
  for (const grant of grants) expect(grant.success).toBe(true);
  expect(accounts.grantManage(role).principalStatements).toHaveLength(3);
  expect(storage.grantReadWrite(role).principalStatements).toEqual([]);
});

it('a service is granted things, and has connections', () => {
  new Bucket(stack, 'Templates').grantRead(service);
  service.connections.allowFrom(Peer.ipv4('10.9.0.0/16'), Port.tcp(9100), 'metrics of the company');
  const template = Template.fromStack(stack);
  expect(inboundRules(template)).toContain('9100-9100 10.9.0.0/16');
  const policies = JSON.stringify(
    template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: stack.getLogicalId(service.fleet.role.node.defaultChild as never) }] } }),
  );
  expect(policies).toContain('s3:GetObject*');
});
