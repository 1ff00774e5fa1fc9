/** No way in from the internet: clients come by VPN, Direct Connect or VPC peering, and reach the private addresses of the instances. */
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { FtpsSecurityGroup } from '../network/security-group';
import { AddressLifecycle } from './address-lifecycle';
import { type EndpointConnection, type EndpointPorts, FtpsEndpoint } from './endpoint';

/** The host name has a record for each instance that serves; put it into a private hosted zone. */
export class PrivateAddresses extends FtpsEndpoint {
  public readonly description = 'private addresses only';
  public readonly addresses: string[] = [];
  public readonly publicAddress = false;
  public readonly advertisedAddress = 'local';

  public open(door: FtpsSecurityGroup, _ports: EndpointPorts): ISecurityGroup {
    return door.securityGroup;
  }

  public startCommands(): string[] {
    return [];
  }

  public connect(connection: EndpointConnection): void {
    const { fleet, domainName, hostedZone, ipv6, dnsRouting } = connection;
    if (hostedZone) new AddressLifecycle(fleet, 'Addresses', { fleet, domainName, hostedZone, ipv6, dnsRouting });
  }
}
