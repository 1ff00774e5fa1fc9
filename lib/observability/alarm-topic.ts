/** A topic that hears alarms: encrypted with a key of its own, and only CloudWatch of this account may publish. */

import { Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letUse } from '../encryption/key-policy';
import { refuseUnknownProps } from '../known-props';

/** What `AlarmTopic` is told. */
export interface AlarmTopicProps {
  /**
   * Addresses that get a mail for each alarm. Each has to confirm once.
   * @default - none
   */
  readonly emails?: string[];
  /**
   * Key that encrypts the topic.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** A topic that alarms tell, and whose messages go out as mail. Encrypted with a key of its own. */
export class AlarmTopic extends Construct {
  /** What alarms tell. */
  public readonly topic: Topic;

  constructor(scope: Construct, id: string, props: AlarmTopicProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'AlarmTopicProps');
    encryptBelow(this, props.encryptionKey);
    const { emails = [] } = props;
    const wrong = emails.find((email) => !Token.isUnresolved(email) && !/^[^\s@]+@[^\s@]+$/.test(email));
    if (wrong !== undefined) throw new Error(`emails: "${wrong}" is no address of mail; write it as on-call@example.com`);
    const masterKey = keyFor(this, 'Key', { description: 'Alarms of an FTPS service' });
    const sender = new ServicePrincipal('cloudwatch.amazonaws.com');
    const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    // SNS developer guide, "Enable compatibility between event sources from AWS services and encrypted topics".
    letUse(
      this,
      masterKey,
      'FtpsAlarms',
      new PolicyStatement({
        principals: [sender],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'], // in a key policy this means the key itself
        conditions,
      }),
    );
    this.topic = new Topic(this, 'Resource', { displayName: 'FTPS alarms', masterKey, enforceSSL: true });
    this.topic.addToResourcePolicy(new PolicyStatement({ principals: [sender], actions: ['sns:Publish'], resources: [this.topic.topicArn], conditions }));
    for (const email of emails) this.topic.addSubscription(new EmailSubscription(email));
  }
}
