/** Keeps addresses and DNS in step with the instances, by a Lambda that reads the state anew each time. */

import { CustomResource, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import type { ServerFleet } from '../fleet/server-fleet';
import { ServiceFunction } from '../functions/service-function';
import { refuseUnknownProps } from '../known-props';
import type { DnsRouting } from './dns-routing';
import { GroupEvents } from './group-events';
import { recordPermissions } from './record-permissions';
import { routingVariables } from './serving-check';

/** What `AddressLifecycle` is told. */
export interface AddressLifecycleProps {
  /** The instances that take the addresses. */
  readonly fleet: ServerFleet;
  /**
   * Allocation ids of the addresses that instances take.
   * @default - none; the records name the private addresses of the instances
   */
  readonly allocationIds?: string[];
  /** Host name whose records are kept. */
  readonly domainName: string;
  /**
   * Zone of the host name.
   * @default - no records are kept
   */
  readonly hostedZone?: IHostedZone;
  /**
   * Whether the IPv6 addresses of the instances are recorded as well.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * How Route 53 chooses between services that share the host name.
   * @default - the addresses of all of them are answered
   */
  readonly dnsRouting?: DnsRouting;
}

/** How long a resolver may remember which instances serve. */
const RECORD_SECONDS = 30;

/** Keeps addresses and DNS in step with the instances, by a Lambda that reads the state anew each time. */
export class AddressLifecycle extends Construct {
  constructor(scope: Construct, id: string, props: AddressLifecycleProps) {
    super(scope, id);
    refuseUnknownProps(props, 'AddressLifecycleProps');
    const { fleet, allocationIds, domainName, hostedZone, ipv6 = false, dnsRouting } = props;
    const routing = hostedZone ? routingVariables(this, fleet.groupName, dnsRouting) : {};
    const lambda = new ServiceFunction(this, 'Lambda', {
      bundle: 'endpoint-address-lifecycle',
      description: 'Keeps FTPS addresses and DNS in step with the instances',
      alone: true,
      environment: {
        GROUP_NAME: fleet.groupName,
        ...(allocationIds ? { ALLOCATION_IDS: allocationIds.join(',') } : {}),
        ...(hostedZone ? { ZONE_ID: hostedZone.hostedZoneId, RECORD_NAME: domainName, RECORD_SECONDS: String(RECORD_SECONDS) } : {}),
        ...(ipv6 ? { IPV6: 'true' } : {}),
        ...routing,
      },
      permissions: [this.look(), ...(allocationIds ? this.give(allocationIds) : []), ...(hostedZone ? recordPermissions(hostedZone, domainName) : [])],
    });
    acknowledge(
      lambda.role,
      'AwsSolutions-IAM5[Resource::*]',
      'These calls only describe, and EC2 and Auto Scaling know no resources for them (Service Authorization Reference).',
    );
    if (allocationIds)
      for (const resource of ['instance', 'network-interface'])
        acknowledge(
          lambda.role,
          `AwsSolutions-IAM5[Resource::${inFinding(this, this.any(resource))}]`,
          'The ids of instances and their interfaces are not known before they start; which addresses may be given is limited to the pool.',
        );
    new GroupEvents(this, 'Events', { groupName: fleet.groupName, lambda: lambda.lambda });
    if (!hostedZone) return;
    // Records are made by the Lambda, so it takes them away when the service is deleted: after the instances, which depend on this.
    const records = new CustomResource(this, 'Records', {
      serviceToken: lambda.lambda.functionArn,
      // What its records are known by, and how they are chosen: another value has the Lambda look at once.
      properties: { RecordName: domainName, Owner: fleet.groupName, ...routing },
    });
    records.node.addDependency(lambda);
    fleet.autoScalingGroup.node.addDependency(records);
  }

  private any(resource: string): string {
    return Stack.of(this).formatArn({ service: 'ec2', resource, resourceName: '*' });
  }

  private look(): PolicyStatement {
    return new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['autoscaling:DescribeAutoScalingGroups', 'ec2:DescribeAddresses', 'ec2:DescribeInstances'],
      resources: ['*'], // these calls only describe, and know no resources
    });
  }

  private give(allocationIds: readonly string[]): PolicyStatement[] {
    const stack = Stack.of(this);
    const addresses = allocationIds.map((resourceName) => stack.formatArn({ service: 'ec2', resource: 'elastic-ip', resourceName }));
    return [
      new PolicyStatement({ actions: ['ec2:AssociateAddress'], resources: [...addresses, this.any('instance'), this.any('network-interface')] }),
      new PolicyStatement({ actions: ['ec2:DisassociateAddress'], resources: [...addresses, this.any('network-interface')] }),
    ];
  }
}
