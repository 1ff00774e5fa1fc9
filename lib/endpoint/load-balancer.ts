/** A network load balancer: fixed addresses per zone, control connections balanced, and a slice of the passive ports for each instance. */

import { CustomResource, Stack, Tags, Token } from 'aws-cdk-lib';
import { type ISecurityGroup, type ISubnet, type IVpc, Peer, Port, SecurityGroup, type SubnetSelection, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { type CfnLoadBalancer, NetworkLoadBalancer, type NetworkTargetGroup, Protocol } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations, inFinding } from '../compliance/acknowledge';
import type { ServerFleet } from '../fleet/server-fleet';
import { ServiceFunction } from '../functions/service-function';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import type { FtpsSecurityGroup } from '../network/security-group';
import { openingsOf, portOf } from '../network/service-port';
import { listed } from '../protocols/words';
import { existingElasticIps, newElasticIps } from './elastic-ips';
import { type EndpointConnection, type EndpointPorts, FtpsEndpoint } from './endpoint';
import { GroupEvents } from './group-events';
import { recordPermissions } from './record-permissions';
import { routingVariables } from './serving-check';
import { SLOT_TAG } from './slot-lifecycle/slot-tag';

/** What `FtpsLoadBalancer` is told. */
export interface FtpsLoadBalancerProps {
  /** Network of the load balancer. */
  readonly vpc: IVpc;
  /**
   * Subnets of the addresses, one per zone. Instances lie in the same zones.
   * @default - public subnets; private ones, or isolated ones where there are no others, with `internetFacing: false`
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Whether clients come from the internet. Otherwise the addresses are private: clients come by VPN, Direct Connect or VPC peering.
   * @default true
   */
  readonly internetFacing?: boolean;
  /**
   * Allocation ids of Elastic IP addresses that are there already (`eipalloc-…`), one for each subnet, in their order. They are never released.
   * @default - new addresses
   */
  readonly allocationIds?: string[];
  /**
   * Free addresses of the subnets, one for each, in their order: those of a load balancer that does not face the internet.
   * @default - none; needed with `internetFacing: false`
   */
  readonly privateAddresses?: string[];
  /**
   * Whether instances get public addresses, by which they reach AWS APIs, where their subnets are not known to be private.
   * @default true
   */
  readonly publicInstances?: boolean;
  /** How many instances there may be at once; each has an equal slice of the passive ports. One more than serve lets a new one begin before the old one has drained. */
  readonly slots: number;
  /**
   * Whether the load balancer refuses to be deleted.
   * @default true
   */
  readonly deletionProtection?: boolean;
}

/** Listeners of a network load balancer, not adjustable (Elastic Load Balancing user guide, "Quotas for your Network Load Balancers"). */
const MAX_LISTENERS = 50;

/**
 * For partners that want one address per zone whatever the number of instances. Clients of one zone are served by the instances of that
 * zone, so that control and data connections come to the same address.
 */
export class FtpsLoadBalancer extends FtpsEndpoint {
  public readonly description: string;
  public readonly addresses: string[];
  public readonly publicAddress: boolean;
  public readonly advertisedAddress = 'auto';
  public override readonly hasDoor = true;
  /** The network load balancer itself. */
  public readonly loadBalancer: NetworkLoadBalancer;
  private readonly vpc: IVpc;
  private readonly slots: number;
  /** Zone → address. */
  private readonly zones: readonly (readonly [string, string])[];
  private ports: EndpointPorts | undefined;
  /** Of ports at which sessions begin: every instance is one of their targets. */
  private readonly balancedTargets: NetworkTargetGroup[] = [];

  constructor(scope: Construct, id: string, props: FtpsLoadBalancerProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsLoadBalancerProps');
    const { vpc, slots, deletionProtection = true, internetFacing = true } = props;
    if (!Number.isInteger(slots) || slots < 1) throw new Error(`slots: ${slots} is no number of instances; write 1 or more`);
    this.vpc = vpc;
    this.slots = slots;
    this.publicAddress = props.publicInstances ?? true;
    const subnets = subnetsOf(props);
    const { addresses, mappings } = this.placed(props, subnets);
    this.addresses = addresses;
    this.zones = subnets.map(({ availabilityZone }, index) => [availabilityZone, addresses[index]!] as const);
    this.description = `${internetFacing ? '' : 'internal '}network load balancer with ${addresses.length} addresses`;
    this.loadBalancer = new NetworkLoadBalancer(this, 'Resource', {
      vpc,
      vpcSubnets: { subnets },
      internetFacing,
      crossZoneEnabled: false,
      deletionProtection,
      securityGroups: [],
    });
    const balancer = this.loadBalancer.node.defaultChild as CfnLoadBalancer;
    balancer.subnets = undefined;
    balancer.subnetMappings = mappings;
    const passesTcpThrough =
      'A network load balancer logs access for TLS listeners alone (user guide, "Access logs"); these pass TCP through, and the server audits every connection.';
    acknowledge(this.loadBalancer, 'AwsSolutions-ELB2', passesTcpThrough);
    acknowledgeRegulations(this.loadBalancer, 'ELBLoggingEnabled', passesTcpThrough);
    acknowledgeRegulations(
      this.loadBalancer,
      'ELBv2ACMCertificateRequired',
      'TLS ends at the server: FTPS begins in plain text or within TLS at the choice of the port, and data connections resume the session of their control connection there.',
    );
  }

  /**
   * How many instances there may be at once.
   * @internal
   */
  public get _slots(): number {
    return this.slots;
  }

  public open(door: FtpsSecurityGroup, ports: EndpointPorts): ISecurityGroup {
    const range = ports.passivePorts;
    const passive = range.count;
    const openings = openingsOf(ports);
    const further = ports.furtherPorts ?? [];
    const room = MAX_LISTENERS - openings.filter(({ beginsSessions }) => beginsSessions).length;
    if (passive > room)
      throw new Error(
        `passivePorts: ${ports.passivePorts} has ${passive} ports; a network load balancer has ${MAX_LISTENERS} listeners, of which ${room} are left beside ${listed([`${ports.controlPorts.length} control ports`, ...further.map(({ protocol }) => protocol)], 'and')}. ${range.low}-${range.low + room - 1} would fit`,
      );
    if (passive < this.slots)
      throw new Error(
        `passivePorts: ${ports.passivePorts} has ${passive} ports for ${this.slots} slots; each needs one at least. ${range.low}-${range.low + this.slots - 1} would do`,
      );
    this.ports = ports;
    (this.loadBalancer.node.defaultChild as CfnLoadBalancer).securityGroups = [door.securityGroup.securityGroupId];
    const { instanceScope = this } = ports;
    const apart = Stack.of(instanceScope) !== Stack.of(this);
    const instances = new SecurityGroup(apart ? instanceScope : this, apart ? 'BalancedInstances' : 'Instances', {
      vpc: this.vpc,
      description: 'FTPS instances: the load balancer alone',
      allowAllOutbound: false,
    });
    for (const one of openings) instances.addIngressRule(door.securityGroup, portOf(one), one.label);
    instances.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
    for (const port of ports.outboundPorts ?? []) instances.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'AS2 partners, webhooks, issuers');
    for (const one of openings) door.securityGroup.addEgressRule(instances, portOf(one), one.label, apart);
    for (const { low, high, beginsSessions, sticky } of openings)
      for (let port = low; port <= high; port++) {
        const targets = this.listen(port, ports.controlPorts[0]!);
        if (beginsSessions) this.balancedTargets.push(targets);
        // A zone is left out of DNS, or none is, as each of its target groups has it (user guide, "Health checks"), and a passive port leads to one instance in one zone.
        else targets.setAttribute('target_group_health.dns_failover.minimum_healthy_targets.count', 'off');
        if (sticky) {
          targets.setAttribute('stickiness.enabled', 'true');
          targets.setAttribute('stickiness.type', 'source_ip');
        }
      }
    return instances;
  }

  /** Waits for the slot, then tells the server its slice of the ports and the address of its zone. */
  public startCommands(): string[] {
    const slices = this.slices();
    return [
      `until SLOT=$(metadata tags/instance/${SLOT_TAG}); do sleep 2; done`,
      `case $SLOT in ${slices.map(([low, high], index) => `${index + 1}) PORTS=${low}-${high} ;;`).join(' ')} *) echo "slot $SLOT is unknown"; exit 1 ;; esac`,
      `case $(metadata placement/availability-zone) in ${this.zones.map(([zone, address]) => `${zone}) ADDRESS=${address} ;;`).join(' ')} *) exit 1 ;; esac`,
      `PORTS=$PORTS ADDRESS=$ADDRESS node-24 -e 'const fs = require("fs"), f = "/etc/ftps/server.json", c = JSON.parse(fs.readFileSync(f)); c.passive.ports = process.env.PORTS; for (const l of c.listeners) if (l.advertisedAddress === "auto") l.advertisedAddress = process.env.ADDRESS; fs.writeFileSync(f, JSON.stringify(c))'`,
    ];
  }

  public connect(connection: EndpointConnection): void {
    const { fleet, domainName, hostedZone, ipv6, dnsRouting } = connection;
    if (ipv6)
      throw new Error(
        'ipv6: a network load balancer hides the addresses of IPv6 clients from its instances (user guide, "Client IP preservation"), so that no allow-list, lock-out or audit would know them; use ElasticAddresses, or leave ipv6 out',
      );
    this.refuseOtherZones(fleet);
    for (const group of this.balancedTargets) fleet.autoScalingGroup.attachToNetworkTargetGroup(group);
    // What looks after the instances lies in their stack, which may be deployed later than the load balancer.
    const scope = Stack.of(fleet) === Stack.of(this) ? this : fleet;
    const named = hostedZone && {
      ZoneId: hostedZone.hostedZoneId,
      RecordName: domainName,
      BalancerName: this.loadBalancer.loadBalancerDnsName,
      BalancerZoneId: this.loadBalancer.loadBalancerCanonicalHostedZoneId,
    };
    const routing = hostedZone ? routingVariables(scope, fleet.groupName, dnsRouting) : {};
    const lambda = this.assignSlots(scope, fleet, {
      permissions: hostedZone ? recordPermissions(hostedZone, domainName) : [],
      environment: named ? { RECORD: Stack.of(scope).toJsonString(named), ...routing } : {},
    });
    if (!named) return;
    const record = new CustomResource(scope, 'Record', {
      serviceToken: lambda.lambda.functionArn,
      // What its record is known by, and how it is chosen: another value has the Lambda change it.
      properties: { ...named, Owner: fleet.groupName, ...routing },
    });
    record.node.addDependency(lambda);
    fleet.autoScalingGroup.node.addDependency(record); // so that it goes after the instances, and nobody makes it anew
  }

  /** The addresses, in the order of the subnets, and what the load balancer is told of them. */
  private placed(props: FtpsLoadBalancerProps, subnets: readonly ISubnet[]): { addresses: string[]; mappings: CfnLoadBalancer.SubnetMappingProperty[] } {
    const { internetFacing = true, allocationIds, privateAddresses } = props;
    const wrong = internetFacing ? 'privateAddresses' : 'allocationIds';
    if (props[wrong])
      throw new Error(
        internetFacing
          ? 'privateAddresses: are those of a load balancer with internetFacing: false; one that faces the internet has Elastic IP addresses, new ones or allocationIds'
          : 'allocationIds: are addresses of the internet, and internetFacing is false; give privateAddresses, a free address of each subnet',
      );
    const given = internetFacing ? allocationIds : (privateAddresses ?? []);
    const key = internetFacing ? 'allocationIds' : 'privateAddresses';
    if (given && given.length !== subnets.length)
      throw new Error(
        `${key}: ${given.length} for ${subnets.length} subnets (${subnets.map(({ node }) => node.path).join(', ')}); give one for each subnet, in their order${internetFacing ? '' : ': a free address of its range'}`,
      );
    if (!internetFacing)
      return { addresses: privateAddresses!, mappings: subnets.map(({ subnetId }, index) => ({ subnetId, privateIPv4Address: privateAddresses![index]! })) };
    const pool = allocationIds ? existingElasticIps(this, allocationIds) : newElasticIps(this, subnets.length);
    return {
      addresses: pool.map(({ address }) => address),
      mappings: subnets.map(({ subnetId }, index) => ({ subnetId, allocationId: pool[index]!.allocationId })),
    };
  }

  /** An instance in a zone without an address of the load balancer would have nothing to tell its clients. */
  private refuseOtherZones({ zones }: ServerFleet): void {
    const own = this.zones.map(([zone]) => zone);
    const other = zones.find((zone) => !own.includes(zone));
    if (other === undefined || [...own, ...zones].some((zone) => Token.isUnresolved(zone) && !(own.includes(zone) && zones.includes(zone)))) return;
    throw new Error(
      `vpcSubnets: instances may start in ${other}, where the load balancer has no address (it has ${own.join(', ')}); give FtpsLoadBalancer a subnet there, or keep the instances to its zones with vpcSubnets: { availabilityZones: [${own.map((zone) => `'${zone}'`).join(', ')}], … }`,
    );
  }

  /** Equal parts of the range; the last ones take what is left over. */
  private slices(): [number, number][] {
    const { low, count } = this.ports!.passivePorts;
    const start = (slot: number) => low + Math.floor((slot * count) / this.slots);
    return Array.from({ length: this.slots }, (_, slot) => [start(slot), start(slot + 1) - 1]);
  }

  /** The client's address is kept. Whether an instance is well is told by its first control port: a passive port has nothing to say by itself, and every further one would only be asked the same. */
  private listen(port: number, healthPort: number): NetworkTargetGroup {
    return this.loadBalancer.addListener(`Port${port}`, { port, protocol: Protocol.TCP }).addTargets(`Port${port}`, {
      port,
      protocol: Protocol.TCP,
      preserveClientIp: true,
      healthCheck: { port: String(healthPort), protocol: Protocol.TCP },
    });
  }

  private assignSlots(
    scope: Construct,
    fleet: ServerFleet,
    further: { readonly permissions: PolicyStatement[]; readonly environment: Readonly<Record<string, string>> },
  ): ServiceFunction {
    const stack = Stack.of(this);
    const instances = stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
    const groups = stack.formatArn({ service: 'elasticloadbalancing', resource: 'targetgroup', resourceName: '*' });
    const slots = new ServiceFunction(scope, 'Slots', {
      bundle: 'endpoint-slot-lifecycle',
      description: 'Gives each FTPS instance a slice of the passive ports',
      alone: true,
      environment: {
        GROUP_NAME: fleet.groupName,
        SLOTS: JSON.stringify(this.slices()),
        LOAD_BALANCER_ARN: this.loadBalancer.loadBalancerArn,
        ...further.environment,
      },
      permissions: [
        new PolicyStatement({
          actions: [
            'autoscaling:DescribeAutoScalingGroups',
            'ec2:DescribeInstances',
            'elasticloadbalancing:DescribeTargetGroups',
            'elasticloadbalancing:DescribeTargetHealth',
          ],
          resources: ['*'], // these calls only describe, and know no resources
        }),
        new PolicyStatement({
          actions: ['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'],
          resources: [groups],
          conditions: { StringEquals: { [`aws:ResourceTag/${BALANCER_TAG}`]: stableName(this) } },
        }),
        new PolicyStatement({
          actions: ['ec2:CreateTags'],
          resources: [instances],
          conditions: {
            StringEquals: { 'aws:ResourceTag/aws:autoscaling:groupName': fleet.groupName },
            'ForAllValues:StringEquals': { 'aws:TagKeys': [SLOT_TAG] },
          },
        }),
        ...further.permissions,
      ],
    });
    const { lambda, role } = slots;
    Tags.of(this.loadBalancer).add(BALANCER_TAG, stableName(this));
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'These calls only describe, and the services know no resources for them (Service Authorization Reference).',
    );
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, instances)}]`,
      'The ids of instances are not known before they start; the conditions limit this to instances of the group, and to the one tag.',
    );
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, groups)}]`,
      'The condition limits this to the target groups of this load balancer, by their tag; naming all of them would exceed the size of a policy.',
    );
    new GroupEvents(scope, scope === this ? 'Events' : 'SlotEvents', { groupName: fleet.groupName, lambda });
    return slots;
  }
}

/** Tag of what belongs to one load balancer. */
const BALANCER_TAG = 'cdk-ftps:load-balancer';

/** One for each zone. */
function subnetsOf({ vpc, vpcSubnets, internetFacing = true }: FtpsLoadBalancerProps): ISubnet[] {
  const inside = vpc.privateSubnets.length > 0 ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
  const { subnets } = vpc.selectSubnets(vpcSubnets ?? { subnetType: internetFacing ? SubnetType.PUBLIC : inside });
  const zones = subnets.map(({ availabilityZone }) => availabilityZone);
  const twice = zones.find((zone, index) => zones.indexOf(zone) !== index);
  if (twice !== undefined)
    throw new Error(
      `vpcSubnets: has two subnets in ${twice}, and a network load balancer has one address in a zone; choose one group of subnets, by subnetGroupName for example`,
    );
  return subnets;
}
