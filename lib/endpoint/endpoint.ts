/** Where partners connect: what the addresses are, how an instance comes by its own, and how the host name follows. */
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { ServerFleet } from '../fleet/server-fleet';
import type { PassivePorts } from '../network/passive-ports';
import type { FtpsSecurityGroup } from '../network/security-group';

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
}

/** The ports that an endpoint carries. */
export interface EndpointPorts {
  /** Ports of explicit and implicit FTPS. */
  readonly controlPorts: number[];
  /** The passive range. */
  readonly passivePorts: PassivePorts;
}

/** Made by `ElasticAddresses`, `FtpsLoadBalancer` or `PrivateAddresses`. */
export abstract class FtpsEndpoint extends Construct {
  /** One line for people. */
  public abstract readonly description: string;
  /** The addresses that partners allow; empty where they are not known beforehand. */
  public abstract readonly addresses: string[];
  /** Whether instances get an address of the internet. */
  public abstract readonly publicAddress: boolean;
  /** What PASV replies with, unless the settings say otherwise. */
  public abstract readonly advertisedAddress: string;

  /** Takes up the door, which is open to the clients, and returns the group of the instances. Throws where the ports can't be carried. */
  public abstract open(door: FtpsSecurityGroup, ports: EndpointPorts): ISecurityGroup;

  /**
   * Shell lines by which a starting instance waits for what it is given and completes /etc/ftps/server.json. The function `metadata PATH`
   * prints a value of the instance's metadata.
   */
  public abstract startCommands(): string[];

  /** Keeps addresses and host name in step with the instances. */
  public abstract connect(connection: EndpointConnection): void;
}
