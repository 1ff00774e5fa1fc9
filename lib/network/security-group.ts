/** The door of the service: the control ports and the passive range, from the clients given, and nothing else. */

import {
  type Connections,
  type IConnectable,
  type IPeer,
  type IPrefixList,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { DEFAULT_RULES, refuseTooManyRules } from '../aws-limits';
import { refuseUnknownProps } from '../known-props';
import { refuseWrongNetworks } from './networks';
import { refuseOneNetworkTwice } from './one-network';
import type { PassivePorts } from './passive-ports';
import { refusePublicAccess } from './public-access';
import { openingsOf, portOf, type ServicePort } from './service-port';

/** What `FtpsSecurityGroup` is told. */
export interface FtpsSecurityGroupProps {
  /** Network of the group. */
  readonly vpc: IVpc;
  /** Control ports, 21 and 990 as a rule. */
  readonly controlPorts: number[];
  /** The passive range. */
  readonly passivePorts: PassivePorts;
  /**
   * Ports of other protocols.
   * @default - none
   */
  readonly furtherPorts?: ServicePort[];
  /**
   * Client networks in CIDR form, IPv4 or IPv6.
   * @default - none; then `clientPrefixLists` is needed
   */
  readonly clientCidrs?: string[];
  /**
   * Managed prefix lists with client networks.
   * @default - none
   */
  readonly clientPrefixLists?: IPrefixList[];
  /**
   * Whether `clientCidrs` may be the whole internet: `0.0.0.0/0`, `::/0`, or networks that are half of it or more together.
   * @default false
   */
  readonly allowPublicAccess?: boolean;
  /**
   * Rules that the group may have, for IPv4 and for IPv6 each. More need a raised quota.
   * @default 60
   */
  readonly maxRules?: number;
  /**
   * Whether AWS APIs are reached by IPv6 as well.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Ports beside 443 at which instances reach whatever address: those of partners of AS2, endpoints of webhooks and issuers of tokens.
   * @default - none
   */
  readonly outboundPorts?: number[];
  /**
   * Whether the clients' networks are reached on ports from 1024 up, for active mode (PORT and EPRT).
   * @default false
   */
  readonly activeMode?: boolean;
}

/** The door: control and passive ports, from the networks of clients, and nothing else. */
export class FtpsSecurityGroup extends Construct implements IConnectable {
  /** The security group itself. */
  public readonly securityGroup: ISecurityGroup;
  /** For rules of yours. */
  public readonly connections: Connections;

  constructor(scope: Construct, id: string, props: FtpsSecurityGroupProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsSecurityGroupProps');
    const group = new SecurityGroup(this, 'Resource', { vpc: props.vpc, description: 'FTPS: control ports and the passive range', allowAllOutbound: false });
    const clients = { cidrs: props.clientCidrs ?? [], lists: (props.clientPrefixLists ?? []).map(({ prefixListId }) => prefixListId) };
    refuseWrongNetworks('clientCidrs', clients.cidrs);
    refusePublicAccess(clients.cidrs, props.allowPublicAccess);
    refuseOneNetworkTwice(clients.cidrs);
    const openings = openingsOf(props);
    refuseTooManyRules(clients, openings.length, props.maxRules ?? DEFAULT_RULES);
    for (const peer of clientPeers(props)) for (const one of openings) group.addIngressRule(peer, portOf(one), one.label);
    if (props.activeMode) for (const peer of clientPeers(props)) group.addEgressRule(peer, Port.tcpRange(1_024, 65_535), 'FTPS active mode');
    // AWS APIs and package repositories speak HTTPS; NTP and DNS of the VPC need no rule.
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
    if (props.ipv6) group.addEgressRule(Peer.anyIpv6(), Port.tcp(443), 'AWS APIs');
    for (const port of props.outboundPorts ?? [])
      for (const peer of [Peer.anyIpv4(), ...(props.ipv6 ? [Peer.anyIpv6()] : [])])
        group.addEgressRule(peer, Port.tcp(port), 'AS2 partners, webhooks, issuers');
    this.securityGroup = group;
    this.connections = group.connections;
  }
}

function clientPeers({ clientCidrs = [], clientPrefixLists = [] }: FtpsSecurityGroupProps): IPeer[] {
  return [
    ...clientCidrs.map((cidr) => (cidr.includes(':') ? Peer.ipv6(cidr) : Peer.ipv4(cidr))),
    ...clientPrefixLists.map(({ prefixListId }) => Peer.prefixList(prefixListId)),
  ];
}
