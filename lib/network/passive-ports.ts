/** The passive range: the ports on which data connections are awaited. */
import { Port } from 'aws-cdk-lib/aws-ec2';
import { PASSIVE_PRESETS, parsePortRange } from '../../server/config';
import { DEFAULT_PASSIVE_PORTS } from './default-passive-ports';

/** A passive range. Sessions share its ports, so a few of them carry any number of transfers. */
export class PassivePorts {
  /** Sixteen ports, 50000-50015. */
  public static readonly DEFAULT: PassivePorts = PassivePorts.parse(DEFAULT_PASSIVE_PORTS);
  /** 8192-8200: what AWS Transfer Family uses and its partners have in their firewalls. */
  public static readonly AWS_TRANSFER_FAMILY: PassivePorts = PassivePorts.parse(PASSIVE_PRESETS.awsTransferFamily);

  /** The ports from `low` to `high`, both included. */
  public static of(low: number, high: number): PassivePorts {
    return PassivePorts.parse(`${low}-${high}`);
  }

  /** A range as people write it, `50000-50015`. */
  public static parse(text: string): PassivePorts {
    try {
      const range = parsePortRange(text);
      if ('low' in range) return new PassivePorts(range.low, range.high);
    } catch (error) {
      throw new Error(`passivePorts: ${(error as Error).message}`);
    }
    throw new Error(`passivePorts: "${text}" opens ports that no security group can name; write low-high, for example 50000-50015`);
  }

  /** The first port. */
  public readonly low: number;
  /** The last port. */
  public readonly high: number;

  private constructor(low: number, high: number) {
    this.low = low;
    this.high = high;
  }

  /** How many ports there are. */
  public get count(): number {
    return this.high - this.low + 1;
  }

  /** For rules of security groups. */
  public toPort(): Port {
    return Port.tcpRange(this.low, this.high);
  }

  /** As people write it, `50000-50015`. */
  public toString(): string {
    return `${this.low}-${this.high}`;
  }
}
