/** Elastic IP addresses that are there already, known by their allocation ids; the addresses themselves are looked up by each deployment. */
import { CustomResource, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';
import { ServiceFunction } from '../functions/service-function';

export interface ExistingAddressesProps {
  readonly allocationIds: readonly string[];
}

export class ExistingAddresses extends Construct {
  /** In the order of their ids. */
  public readonly addresses: string[];

  constructor(scope: Construct, id: string, props: ExistingAddressesProps) {
    super(scope, id);
    const { allocationIds } = props;
    const wrong = allocationIds.find((one) => !Token.isUnresolved(one) && !/^eipalloc-[0-9a-f]+$/.test(one));
    if (wrong !== undefined)
      throw new Error(`allocationIds: "${wrong}" is no allocation id; write it as eipalloc-0123456789abcdef0 (aws ec2 describe-addresses tells them)`);
    const twice = allocationIds.find((one, index) => allocationIds.indexOf(one) !== index);
    if (twice !== undefined) throw new Error(`allocationIds: ${twice} is named twice; each address belongs to one instance or zone`);
    const lookUp = new ServiceFunction(this, 'LookUp', {
      bundle: 'endpoint-address-lookup',
      description: 'Tells a deployment the FTPS addresses that were there already',
      alone: false,
      environment: {},
      permissions: [new PolicyStatement({ actions: ['ec2:DescribeAddresses'], resources: ['*'] })], // it only describes, and knows no resources
    });
    acknowledge(lookUp.role, 'AwsSolutions-IAM5[Resource::*]', 'The call only describes, and EC2 knows no resources for it (Service Authorization Reference).');
    const found = new CustomResource(this, 'Found', { serviceToken: lookUp.lambda.functionArn, properties: { AllocationIds: [...allocationIds] } });
    found.node.addDependency(lookUp);
    this.addresses = allocationIds.map((_, index) => found.getAttString(`Address${index + 1}`));
  }
}
