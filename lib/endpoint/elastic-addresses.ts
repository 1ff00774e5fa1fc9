/** Addresses that never change: one Elastic IP per instance out of a pool that partners can put on their allow-list. */

import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { refuseUnknownProps } from '../known-props';
import type { FtpsSecurityGroup } from '../network/security-group';
import { AddressLifecycle } from './address-lifecycle';
import { type ElasticIp, existingElasticIps, newElasticIps } from './elastic-ips';
import { type EndpointConnection, type EndpointPorts, FtpsEndpoint } from './endpoint';

/** What `ElasticAddresses` is told. */
export interface ElasticAddressesProps {
  /**
   * How many addresses are made: as many as there may be instances. One more lets a new instance begin before the one it replaces has drained.
   * @default - none; then `allocationIds` must be given
   */
  readonly count?: number;
  /**
   * Allocation ids of addresses that are there already (`eipalloc-…`), in place of new ones. They are never released; nothing else may use them.
   * @default - none; then `count` must be given
   */
  readonly allocationIds?: string[];
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
  private readonly pool: readonly ElasticIp[];

  constructor(scope: Construct, id: string, props: ElasticAddressesProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ElasticAddressesProps');
    const { allocationIds } = props;
    if ((props.count === undefined) === (allocationIds === undefined))
      throw new Error('count, allocationIds: give one of them; count makes new addresses, allocationIds names those that are there already');
    const count = props.count ?? allocationIds!.length;
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`${allocationIds ? 'allocationIds' : 'count'}: ${count} is no number of addresses; there must be 1 or more, one for each instance`);
    this.pool = allocationIds ? existingElasticIps(this, allocationIds) : newElasticIps(this, count);
    this.addresses = this.pool.map(({ address }) => address);
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
    const { fleet, domainName, hostedZone, ipv6, dnsRouting } = connection;
    const allocationIds = this.pool.map(({ allocationId }) => allocationId);
    new AddressLifecycle(fleet, 'Addresses', { fleet, allocationIds, domainName, hostedZone, ipv6, dnsRouting });
  }
}
