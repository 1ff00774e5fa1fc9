/** Addresses that never change: one Elastic IP per instance out of a pool that partners can put on their allow-list. */

import type { CfnEIP, ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { refuseUnknownProps } from '../known-props';
import type { FtpsSecurityGroup } from '../network/security-group';
import { AddressLifecycle } from './address-lifecycle';
import { elasticIps } from './elastic-ips';
import { type EndpointConnection, type EndpointPorts, FtpsEndpoint } from './endpoint';

/** What `ElasticAddresses` is told. */
export interface ElasticAddressesProps {
  /** As many addresses as there may be instances. One more lets a new instance begin before the one it replaces has drained. */
  readonly count: number;
}

/**
 * The simplest and cheapest endpoint, and the one for most bandwidth: clients reach the instances themselves. The host name has one
 * record for each instance that serves.
 */
export class ElasticAddresses extends FtpsEndpoint {
  public readonly description: string;
  public readonly addresses: string[];
  public readonly publicAddress = true;
  public readonly advertisedAddress = 'auto';
  private readonly pool: CfnEIP[];

  constructor(scope: Construct, id: string, props: ElasticAddressesProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ElasticAddressesProps');
    const { count } = props;
    this.pool = elasticIps(this, count);
    this.addresses = this.pool.map((address) => address.attrPublicIp);
    this.description = `${count} Elastic IP address${count === 1 ? '' : 'es'}`;
  }

  public open(door: FtpsSecurityGroup, _ports: EndpointPorts): ISecurityGroup {
    return door.securityGroup;
  }

  /** Waits until the Lambda has given this instance an address of the pool; the launch hook ends the wait where none ever comes. */
  public startCommands(): string[] {
    return [`until case " ${this.addresses.join(' ')} " in *" $(metadata public-ipv4 || echo none) "*) true ;; *) false ;; esac; do sleep 2; done`];
  }

  public connect(connection: EndpointConnection): void {
    const { fleet, domainName, hostedZone, ipv6 } = connection;
    new AddressLifecycle(fleet, 'Addresses', { fleet, pool: this.pool, domainName, hostedZone, ipv6 });
  }
}
