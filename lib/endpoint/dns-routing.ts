/** How Route 53 chooses between services that share a host name. */
import type { IHealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Routing } from './address-lifecycle/host-records';

/**
 * How Route 53 chooses between services that share a host name. All services on a name say the same kind (Amazon Route 53 developer guide,
 * "Choosing a routing policy"); each makes, changes and deletes its own records alone. Without it, the addresses of services that share a
 * name are answered side by side, up to eight of them.
 */
export class DnsRouting {
  /**
   * A share of the clients: this weight in the sum of the weights of all services on the name, each from 0 to 255. For moving clients from
   * one service to another. With a health check, a service that is not healthy is left out.
   */
  public static weighted(weight: number, healthCheck?: IHealthCheck): DnsRouting {
    if (!Number.isInteger(weight) || weight < 0 || weight > 255) throw new Error(`weight: ${weight} is no weight; write a whole number from 0 to 255`);
    return new DnsRouting({ weight }, false, healthCheck);
  }

  /**
   * Clients come here as long as the service is healthy.
   * @param healthCheck tells whether it is; by default an alarm that goes off when no instance has been in service for three minutes
   */
  public static primary(healthCheck?: IHealthCheck): DnsRouting {
    return new DnsRouting({ failover: 'PRIMARY' }, healthCheck === undefined, healthCheck);
  }

  /** Clients come here when the primary service is not healthy. A health check keeps them away from it as well, where both are not. */
  public static secondary(healthCheck?: IHealthCheck): DnsRouting {
    return new DnsRouting({ failover: 'SECONDARY' }, false, healthCheck);
  }

  private constructor(
    /** @internal */
    public readonly _settings: Routing,
    /** @internal */
    public readonly _needsCheck: boolean,
    /** Tells Route 53 whether the service is healthy, where it is one of yours. */
    public readonly healthCheck?: IHealthCheck,
  ) {}
}
