/** Old images go, with their snapshots, once newer ones have taken their place. */
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnLifecyclePolicy } from 'aws-cdk-lib/aws-imagebuilder';
import { Construct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';

export interface ImageRetentionProps {
  /** Value of the tag by which an image is known. */
  readonly name: string;
  /** How many images stay. */
  readonly keep: number;
}

/** Tag that images of a ServerImage carry; its value is the name of the pipeline. */
export const IMAGE_TAG = 'cdk-ftps:image';

/** Tag of the AMIs that instances start from, put on and taken off as images prove good in service; its value is the name of the pipeline. */
export const IN_SERVICE_TAG = 'cdk-ftps:in-service';

export class ImageRetention extends Construct {
  constructor(scope: Construct, id: string, { name, keep }: ImageRetentionProps) {
    super(scope, id);
    const policy = 'service-role/EC2ImageBuilderLifecycleExecutionPolicy';
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('imagebuilder.amazonaws.com'),
      description: 'Removes old FTPS images',
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(policy)],
    });
    acknowledge(
      role,
      `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`,
      'The policy that AWS has for this service alone: it covers only resources that Image Builder made and tagged (user guide, "Lifecycle management prerequisites").',
    );
    new CfnLifecyclePolicy(this, 'Policy', {
      name,
      description: `Keeps ${keep} FTPS images`,
      executionRole: role.roleArn,
      resourceType: 'AMI_IMAGE',
      status: 'ENABLED',
      policyDetails: [
        {
          action: { type: 'DELETE', includeResources: { amis: true, snapshots: true } },
          filter: { type: 'COUNT', value: keep },
          // However many newer ones there are that were rolled back: without it no instance could be replaced.
          exclusionRules: { amis: { tagMap: { [IN_SERVICE_TAG]: name } } },
        },
      ],
      // Every recipe of this image, also the ones that later versions of the server bring.
      resourceSelection: { tagMap: { [IMAGE_TAG]: name } },
    });
  }
}
