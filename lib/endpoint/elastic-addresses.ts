/** Addresses that never change: one Elastic IP per instance out of a pool that partners can put on their allow-list. */

import { Duration, Stack } from 'aws-cdk-lib';
import { CfnEIP } from 'aws-cdk-lib/aws-ec2';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';
import { stableName } from '../names';

export interface ElasticAddressesProps {
  /** As many addresses as there may be instances. */
  readonly count: number;
  /** Host name that clients connect to; its records name all addresses of the pool. */
  readonly domainName?: string;
  /** Zone of the host name. */
  readonly hostedZone?: IHostedZone;
}

export class ElasticAddresses extends Construct {
  /** The addresses, for partners' allow-lists. */
  public readonly addresses: string[];
  private readonly pool: CfnEIP[];

  constructor(scope: Construct, id: string, { count, domainName, hostedZone }: ElasticAddressesProps) {
    super(scope, id);
    this.pool = Array.from(
      { length: count },
      (_, index) => new CfnEIP(this, `Address${index + 1}`, { domain: 'vpc', tags: [{ key: 'Name', value: `${stableName(this)} ${index + 1}` }] }),
    );
    this.addresses = this.pool.map((address) => address.attrPublicIp);
    if (domainName && hostedZone) {
      new ARecord(this, 'Record', {
        zone: hostedZone,
        recordName: domainName,
        target: RecordTarget.fromIpAddresses(...this.addresses),
        ttl: Duration.seconds(60),
      });
    }
  }

  /** Shell lines by which a starting instance takes a free address of the pool. `$TOKEN` is its IMDSv2 token. */
  public claimCommands(): string[] {
    return [
      'INSTANCE=$(curl -sf -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/instance-id)',
      `for ALLOCATION in ${this.pool.map((address) => address.attrAllocationId).join(' ')}; do aws ec2 associate-address --region ${Stack.of(this).region} --allocation-id "$ALLOCATION" --instance-id "$INSTANCE" --no-allow-reassociation && break; done`,
    ];
  }

  /** Allows an instance to take an address of the pool, and no other. */
  public grantClaim(grantee: IGrantable): void {
    const stack = Stack.of(this);
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['ec2:AssociateAddress'],
        resources: [
          ...this.pool.map((address) => stack.formatArn({ service: 'ec2', resource: 'elastic-ip', resourceName: address.attrAllocationId })),
          stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' }),
          stack.formatArn({ service: 'ec2', resource: 'network-interface', resourceName: '*' }),
        ],
      }),
    );
    for (const resource of ['instance', 'network-interface'])
      acknowledge(
        grantee.grantPrincipal as unknown as IConstruct,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:${resource}/*]`,
        'The ids of instances and their interfaces are not known before they start; which addresses may be taken is limited to the pool.',
      );
  }
}
