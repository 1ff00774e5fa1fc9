/** Where partners connect: what the addresses are, how an instance comes by its own, and how the host name follows. */
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct, type IConstruct } from 'constructs';
import type { ServerFleet } from '../fleet/server-fleet';
import type { PassivePorts } from '../network/passive-ports';
import type { FtpsSecurityGroup } from '../network/security-group';
import type { ServicePort } from '../network/service-port';
import type { DnsRouting } from './dns-routing';

/** What an endpoint is connected to once the instances are described. */
export interface EndpointConnection {
  /** The instances behind the endpoint. */
  readonly fleet: ServerFleet;
  /** Host name that clients connect to. */
  readonly domainName: string;
  /**
   * Zone of the host name.
   * @default - the host name is recorded by you
   */
  readonly hostedZone?: IHostedZone;
  /**
   * Whether instances have IPv6 addresses as well, and the host name a record for each.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * How Route 53 chooses between services that share the host name.
   * @default - the addresses of all of them are answered
   */
  readonly dnsRouting?: DnsRouting;
}

/** The ports that an endpoint carries. */
export interface EndpointPorts {
  /** Ports of explicit and implicit FTPS. */
  readonly controlPorts: number[];
  /** The passive range. */
  readonly passivePorts: PassivePorts;
  /**
   * Ports of other protocols, at each of which its sessions begin.
   * @default - none
   */
  readonly furtherPorts?: ServicePort[];
  /**
   * Ports beside 443 at which instances reach whatever address: those of partners of AS2, endpoints of webhooks and issuers of tokens.
   * @default - none
   */
  readonly outboundPorts?: number[];
  /**
   * Where what belongs to the instances is made, a security group of theirs for example. It may lie in another stack than the endpoint, one that
   * is deployed later.
   * @default - in the endpoint
   */
  readonly instanceScope?: Construct;
}

/** Where partners connect. `ElasticAddresses`, `FtpsLoadBalancer` and `PrivateAddresses` are; one of your own extends `FtpsEndpoint`. */
export interface IFtpsEndpoint extends IConstruct {
  /** One line for people. */
  readonly description: string;
  /** The addresses that partners allow; empty where they are not known beforehand. */
  readonly addresses: string[];
  /** Whether instances get an address of the internet, where their subnets are not known to be private. */
  readonly publicAddress: boolean;
  /** What PASV replies with, unless the settings say otherwise: an address, `auto` for the public one of the instance, or `local` for its private one. */
  readonly advertisedAddress: string;
  /** Whether the door is that of the endpoint itself instead of the instances', so that it is made in the stack of the endpoint. */
  readonly hasDoor: boolean;

  /** Takes up the door, which is open to the clients, and returns the group of the instances. Throws where the ports can't be carried. */
  open(door: FtpsSecurityGroup, ports: EndpointPorts): ISecurityGroup;

  /**
   * Shell lines by which a starting instance waits for what it is given and completes /etc/ftps/server.json. The function `metadata PATH`
   * prints a value of the instance's metadata.
   */
  startCommands(): string[];

  /** Keeps addresses and host name in step with the instances. */
  connect(connection: EndpointConnection): void;
}

/** What endpoints are made of. */
export abstract class FtpsEndpoint extends Construct implements IFtpsEndpoint {
  public abstract readonly description: string;
  public abstract readonly addresses: string[];
  public abstract readonly publicAddress: boolean;
  public abstract readonly advertisedAddress: string;
  public readonly hasDoor: boolean = false;
  public abstract open(door: FtpsSecurityGroup, ports: EndpointPorts): ISecurityGroup;
  public abstract startCommands(): string[];
  public abstract connect(connection: EndpointConnection): void;
}
