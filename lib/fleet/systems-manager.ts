/** What the agent of Systems Manager asks for on an instance: sessions, commands, what is installed. */
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { acknowledge } from '../compliance/acknowledge';

/**
 * AmazonSSMManagedInstanceCore (AWS managed policy reference) but for `ssm:GetParameter` and `ssm:GetParameters`, which it allows on every parameter of the
 * account, those with secrets included: a server that was taken over could read what has nothing to do with it. No document of the kit needs them.
 */
const ACTIONS = [
  'ssm:DescribeAssociation',
  'ssm:DescribeDocument',
  'ssm:GetDeployablePatchSnapshotForInstance',
  'ssm:GetDocument',
  'ssm:GetManifest',
  'ssm:ListAssociations',
  'ssm:ListInstanceAssociations',
  'ssm:PutComplianceItems',
  'ssm:PutConfigurePackageResult',
  'ssm:PutInventory',
  'ssm:UpdateAssociationStatus',
  'ssm:UpdateInstanceAssociationStatus',
  'ssm:UpdateInstanceInformation',
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'ec2messages:AcknowledgeMessage',
  'ec2messages:DeleteMessage',
  'ec2messages:FailMessage',
  'ec2messages:GetEndpoint',
  'ec2messages:GetMessages',
  'ec2messages:SendReply',
];

/** Why the role may ask this of every resource; the log of sessions adds the names of log groups, and a finding has one reason. */
export const SESSION_MANAGER =
  'Session Manager takes the place of ssh: what its agent asks is asked of every resource by AWS’s own policy as well, from which reading of parameters was left out; of logs it lists names and settings of groups, and nothing that was logged.';

/** Lets the agent on instances of a role do its work. */
export function allowSystemsManager(role: Role): void {
  role.addToPolicy(new PolicyStatement({ actions: ACTIONS, resources: ['*'] }));
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', SESSION_MANAGER);
}
