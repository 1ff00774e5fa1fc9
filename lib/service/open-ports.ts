/** Which ports of a service are open, to whom, and at whose door: read from the one configuration object, so that nothing is open that is not served. */
import { Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { ServerConfig } from '../../server/config';
import { partnerPorts } from '../as2/partner-ports';
import type { IFtpsEndpoint } from '../endpoint/endpoint';
import type { FtpsServiceProps } from '../ftps-service-props';
import { outwardOf } from '../network/outward';
import { PassivePorts } from '../network/passive-ports';
import { FtpsSecurityGroup } from '../network/security-group';
import type { ServicePort } from '../network/service-port';
import { furtherProtocols } from '../protocols/all';

/** The ports that clients come to. */
export interface ServedPorts {
  readonly controlPorts: number[];
  readonly passivePorts: PassivePorts;
  readonly furtherPorts: ServicePort[];
}

export function servedPorts(config: ServerConfig): ServedPorts {
  return {
    controlPorts: config.listeners.map(({ port }) => port),
    passivePorts: PassivePorts.parse(config.passive.ports),
    furtherPorts: furtherProtocols(config).flatMap((one) => one.openings(config).map(({ low, sticky }) => ({ protocol: one.name, port: low, sticky }))),
  };
}

/** Whatever has to be opened: the door itself, and the group of the instances behind it, which may be the same one. */
export interface Doors {
  readonly securityGroup: FtpsSecurityGroup;
  readonly instanceGroup: ISecurityGroup;
}

export interface Surroundings {
  readonly vpc: IVpc;
  readonly endpoint: IFtpsEndpoint;
  readonly config: ServerConfig;
}

/** Opens these ports at the security group, the network firewall and the endpoint. */
export function openPorts(scope: Construct, props: FtpsServiceProps, served: ServedPorts, { vpc, endpoint, config }: Surroundings): Doors {
  const { clientCidrs, clientPrefixLists, networkFirewall } = props;
  const ports = { ...served, outboundPorts: outboundPorts(config) };
  const activeMode = config.active.enabled;
  const securityGroup = new FtpsSecurityGroup(doorOf(endpoint, scope), 'SecurityGroup', {
    allowPublicAccess: props.allowPublicAccess,
    vpc,
    ...ports,
    clientCidrs,
    clientPrefixLists,
    maxRules: props.securityGroupRules,
    ipv6: props.ipv6,
    activeMode,
  });
  if (networkFirewall && clientPrefixLists)
    throw new Error(
      'clientPrefixLists: the network firewall knows clients by clientCidrs alone; write the networks of the lists there, or leave the firewall out',
    );
  networkFirewall?.open({ ...ports, clientCidrs, activeMode });
  return { securityGroup, instanceGroup: endpoint.open(securityGroup, { ...ports, instanceScope: scope }) };
}

/** Where the security group lies: beside the endpoint where that has a door of its own in another stack, else in the service. */
function doorOf(endpoint: IFtpsEndpoint, scope: Construct): Construct {
  return endpoint.hasDoor && Stack.of(endpoint) !== Stack.of(scope) && Construct.isConstruct(endpoint) ? endpoint : scope;
}

/** Ports at which instances reach whatever address. */
function outboundPorts(config: ServerConfig): number[] {
  const anywhere = outwardOf(config).flatMap(({ port, cidrs }) => (cidrs.length === 0 ? [port] : []));
  return [...new Set([...partnerPorts(config), ...anywhere])];
}
