/** The door of the service: the control ports and the passive range, from the clients given, and nothing else. */

import { type IPeer, type ISecurityGroup, type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { parsePortRange } from '../../server/config';
import { refuseUnknownProps } from '../known-props';
import { DEFAULT_RULES, refuseTooManyRules } from '../limits';
import { refusePublicAccess } from './public-access';

/** What `FtpsSecurityGroup` is told. */
export interface FtpsSecurityGroupProps {
  /** Network of the group. */
  readonly vpc: IVpc;
  /** Control ports, 21 and 990 as a rule. */
  readonly controlPorts: number[];
  /** The passive range, low-high. */
  readonly passivePorts: string;
  /** Client networks in CIDR form, IPv4 or IPv6. */
  readonly clientCidrs?: string[];
  /** Ids of managed prefix lists with client networks. */
  readonly clientPrefixLists?: string[];
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
}

/** The door: control and passive ports, from the networks of clients, and nothing else. */
export class FtpsSecurityGroup extends Construct {
  /** The security group itself. */
  public readonly securityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, props: FtpsSecurityGroupProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsSecurityGroupProps');
    const group = new SecurityGroup(this, 'Resource', { vpc: props.vpc, description: 'FTPS: control ports and the passive range', allowAllOutbound: false });
    const range = parsePortRange(props.passivePorts);
    if ('any' in range) throw new Error(`passivePorts: "${props.passivePorts}" names no ports; write low-high, for example 50000-50015`);
    const clients = { cidrs: props.clientCidrs ?? [], lists: props.clientPrefixLists ?? [] };
    refusePublicAccess(clients.cidrs, props.allowPublicAccess);
    refuseTooManyRules(clients, props.controlPorts.length + 1, props.maxRules ?? DEFAULT_RULES);
    for (const peer of clientPeers(props)) {
      for (const port of props.controlPorts) group.addIngressRule(peer, Port.tcp(port), `FTPS control ${port}`);
      group.addIngressRule(peer, Port.tcpRange(range.low, range.high), `FTPS passive ${props.passivePorts}`);
    }
    // AWS APIs and package repositories speak HTTPS; NTP and DNS of the VPC need no rule.
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
    if (props.ipv6) group.addEgressRule(Peer.anyIpv6(), Port.tcp(443), 'AWS APIs');
    this.securityGroup = group;
  }
}

function clientPeers({ clientCidrs = [], clientPrefixLists = [] }: FtpsSecurityGroupProps): IPeer[] {
  return [...clientCidrs.map((cidr) => (cidr.includes(':') ? Peer.ipv6(cidr) : Peer.ipv4(cidr))), ...clientPrefixLists.map((list) => Peer.prefixList(list))];
}
