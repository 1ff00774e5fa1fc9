/** Failures and lock-outs that all instances share, so that an attacker can’t go from one to the next; and sign-ins over HTTPS, so that a browser can. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type ITable, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/use-through';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';

/** What the server reads and writes in an item; the names are the server's. */
const PARTITION_KEY = 'key';
const TIME_TO_LIVE = 'expires';

/** What `SharedLockouts` is told. */
export interface SharedLockoutsProps {
  /**
   * Key that encrypts the table.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** A DynamoDB table: one item an address or account that failed, and one a sign-in over HTTPS, removed by itself. Encrypted, paid by request. */
export class SharedLockouts extends Construct {
  /** Keeps the lock-outs of all instances, and who has signed in. */
  public readonly table: ITable;
  private readonly key: IKey;

  constructor(scope: Construct, id: string, props: SharedLockoutsProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'SharedLockoutsProps');
    encryptBelow(this, props.encryptionKey);
    this.key = keyFor(this, 'Key', { description: 'FTPS lock-outs', removalPolicy: RemovalPolicy.DESTROY });
    letRolesUse(this, this.key, 'dynamodb');
    const table = new Table(this, 'Table', {
      partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
      timeToLiveAttribute: TIME_TO_LIVE,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const reason = 'Lock-outs are over within hours; yesterday’s would lock out nobody, so there is nothing to restore.';
    acknowledge(table, 'AwsSolutions-DDB3', reason);
    for (const rule of ['DynamoDBPITREnabled', 'DynamoDBInBackupPlan']) acknowledgeRegulations(table, rule, reason);
    this.table = table;
  }

  /** Allows counting failures and asking for lock-outs, item by item. */
  public grantUse(grantee: IGrantable): Grant {
    const actions = ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'].map((action) => `dynamodb:${action}`);
    // What DynamoDB does with the key for its callers (DynamoDB developer guide, "Encryption at rest: how it works"), and only it.
    const keyActions = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'DescribeKey'];
    return granted(grantee, new PolicyStatement({ actions, resources: [this.table.tableArn] }), useThrough('dynamodb', this.key, ...keyActions));
  }
}
