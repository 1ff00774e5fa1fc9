/** Shell sessions on instances by Session Manager, each written to a log as it happens. */

import { Stack } from 'aws-cdk-lib';
import { type Grant, type IGrantable, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';
import { encryptBelow } from '../encryption/given-key';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { logKey } from '../network/log-key';
import { SESSION_MANAGER } from './systems-manager';

/** What `SessionLog` is told. */
export interface SessionLogProps {
  /** Role of the instances; it writes the log. */
  readonly instanceRole: Role;
  /** Name of the Auto Scaling group of the instances. */
  readonly groupName: string;
  /**
   * Key that encrypts the log.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Minutes without input after which a session ends, and the most that it lasts. */
const IDLE_MINUTES = 15;
const LONGEST_MINUTES = 60;

/** Shell sessions on instances by Session Manager, each written to a log as it happens. */
export class SessionLog extends Construct {
  /** Name of the document that sessions are started by: `aws ssm start-session --document-name NAME --target INSTANCE`. */
  public readonly documentName: string;
  /** What was typed and shown, a stream for each session. */
  public readonly logGroup: LogGroup;
  private readonly groupName: string;

  constructor(scope: Construct, id: string, props: SessionLogProps) {
    super(scope, id);
    refuseUnknownProps(props, 'SessionLogProps');
    encryptBelow(this, props.encryptionKey);
    const { instanceRole, groupName } = props;
    this.groupName = groupName;
    this.logGroup = new LogGroup(this, 'Log', { encryptionKey: logKey(this, 'Key', 'Sessions on FTPS instances'), retention: RetentionDays.ONE_YEAR });
    // Systems Manager user guide, "Session document schema".
    this.documentName = new CfnDocument(this, 'Document', {
      documentType: 'Session',
      updateMethod: 'NewVersion',
      content: {
        schemaVersion: '1.0',
        description: 'A shell on an FTPS instance, logged',
        sessionType: 'Standard_Stream',
        inputs: {
          cloudWatchLogGroupName: this.logGroup.logGroupName,
          cloudWatchEncryptionEnabled: true, // refuses a session where the log is not encrypted
          cloudWatchStreamingEnabled: true,
          idleSessionTimeout: String(IDLE_MINUTES),
          maxSessionDuration: String(LONGEST_MINUTES),
        },
      },
    }).ref;
    this.logGroup.grantWrite(instanceRole);
    // The agent looks whether the log is there and encrypted (Systems Manager user guide, "Create an IAM role with permissions for Session Manager and CloudWatch Logs").
    instanceRole.addToPolicy(new PolicyStatement({ actions: ['logs:DescribeLogStreams'], resources: [this.logGroup.logGroupArn] }));
    // The call lists groups by their name and knows no resources (Service Authorization Reference, "Amazon CloudWatch Logs").
    instanceRole.addToPolicy(new PolicyStatement({ actions: ['logs:DescribeLogGroups'], resources: ['*'] }));
    acknowledge(instanceRole, 'AwsSolutions-IAM5[Resource::*]', SESSION_MANAGER);
  }

  /** Lets somebody start sessions on the instances, by the document that logs them and by no other, and end their own. */
  public grantStart(grantee: IGrantable): Grant {
    const stack = Stack.of(this);
    return granted(
      grantee,
      new PolicyStatement({
        actions: ['ssm:StartSession'],
        resources: [stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' })],
        conditions: {
          StringEquals: { 'ssm:resourceTag/aws:autoscaling:groupName': this.groupName },
          BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' },
        },
      }),
      new PolicyStatement({
        actions: ['ssm:StartSession'],
        resources: [stack.formatArn({ service: 'ssm', resource: 'document', resourceName: this.documentName })],
      }),
      new PolicyStatement({
        actions: ['ssm:ResumeSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM
        resources: [stack.formatArn({ service: 'ssm', resource: 'session', resourceName: '${aws:userid}-*' })],
      }),
    );
  }
}
