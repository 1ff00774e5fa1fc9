/** Ports of a service in the words of constructs: those of FTPS have props of their own, each further protocol has one port. */
import { Port } from 'aws-cdk-lib/aws-ec2';
import { ftpsOpenings } from '../protocols/ftps';
import type { Opening } from '../protocols/protocol';
import type { PassivePorts } from './passive-ports';

/** The port of another protocol than FTPS, at which its sessions begin: `{ protocol: 'SFTP', port: 22 }`. */
export interface ServicePort {
  /** What it is called in rules. */
  readonly protocol: string;
  /** The port. */
  readonly port: number;
  /**
   * Whether all connections of a client belong at one instance, as those of a browser do: one instance may know what another does not.
   * @default false
   */
  readonly sticky?: boolean;
}

/** What these ports open, in the order of rules. */
export function openingsOf(ports: {
  readonly controlPorts: readonly number[];
  readonly passivePorts: PassivePorts;
  readonly furtherPorts?: readonly ServicePort[];
}): Opening[] {
  const further = ports.furtherPorts ?? [];
  return [
    ...ftpsOpenings(ports.controlPorts, ports.passivePorts),
    ...further.map(({ protocol, port, sticky }) => ({ label: `${protocol} ${port}`, low: port, high: port, beginsSessions: true, sticky })),
  ];
}

/** For rules of security groups. */
export function portOf({ low, high, beginsSessions }: Opening): Port {
  return beginsSessions ? Port.tcp(low) : Port.tcpRange(low, high);
}
