/**
 * The DNS records of the host name that are this service's own: known by their set identifiers, made and deleted in one change, and beside them
 * whatever others have there (Amazon Route 53 developer guide, "Choosing a routing policy").
 */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  NoSuchHostedZone,
  type ResourceRecordSet,
  type Route53Client,
  type RRType,
} from '@aws-sdk/client-route-53';
import { addressOfRecord, conflicts, isChangedInPlace, isSame, undotted } from './record-sets';

/** How Route 53 chooses between the records of this service and those of others on the same name. Nothing: it does not, they are one service. */
export interface Routing {
  readonly weight?: number;
  readonly failover?: 'PRIMARY' | 'SECONDARY';
  readonly healthCheckId?: string;
}

export interface HostRecordsSettings {
  readonly zoneId: string;
  readonly name: string;
  /** Time to live of a record. */
  readonly seconds: number;
  /** What the set identifiers of the records begin with. */
  readonly owner: string;
  readonly routing: Routing;
}

/** Where an alias leads: the name of a load balancer, and the zone that its region has for such names. */
export interface BalancerName {
  readonly dnsName: string;
  readonly zoneId: string;
}

/** What earlier versions made had the address itself as set identifier, and aliases none: taken for this service's where it leads to what this service has. */
export interface Earlier {
  readonly addresses?: ReadonlySet<string>;
  readonly balancers?: readonly string[];
}

export class HostRecords {
  constructor(
    private readonly client: Route53Client,
    private readonly settings: HostRecordsSettings,
  ) {}

  /**
   * Makes the own records name exactly these addresses, in one change. Where a load balancer of this service has taken the name, they are left
   * to it, unless a deployment says otherwise (`takeOver`). Answers whether anything had to be changed.
   */
  async set(ips: readonly string[], { earlier = {}, takeOver = false }: { earlier?: Earlier; takeOver?: boolean } = {}): Promise<boolean> {
    const all = await this.records();
    const own = this.ownOf(all, earlier);
    if (!takeOver && own.some(({ AliasTarget }) => AliasTarget)) return false;
    return this.replace(all, own, this.ofAddresses(ips));
  }

  /** Takes the own records of addresses away, and leaves what has taken their place. */
  async clear(earlier: Earlier = {}): Promise<void> {
    const all = await this.left();
    const own = this.ownOf(all, earlier).filter(({ AliasTarget }) => !AliasTarget);
    await this.replace(all, own, []);
  }

  /** Makes the name an alias of a load balancer, in place of what of this service it led to. */
  async alias(balancer: BalancerName, earlier: Earlier = {}): Promise<void> {
    const all = await this.records();
    await this.replace(all, this.ownOf(all, { ...earlier, balancers: [balancer.dnsName, ...(earlier.balancers ?? [])] }), [this.ofBalancer(balancer)]);
  }

  /** Makes the alias where this service has no record at all: the way back from a deployment that failed takes away what was to come in its place. */
  async keepAlias(balancer: BalancerName): Promise<boolean> {
    const all = await this.records();
    if (this.ownOf(all, { balancers: [balancer.dnsName] }).length > 0) return false;
    return this.replace(all, [], [this.ofBalancer(balancer)]);
  }

  /** Takes the alias of this load balancer away, and leaves what has taken its place. */
  async unalias({ dnsName }: BalancerName): Promise<void> {
    const all = await this.left();
    const own = this.ownOf(all, { balancers: [dnsName] }).filter(({ AliasTarget }) => undotted(AliasTarget?.DNSName) === undotted(dnsName));
    await this.replace(all, own, []);
  }

  private ownOf(all: readonly ResourceRecordSet[], { addresses = new Set(), balancers = [] }: Earlier): ResourceRecordSet[] {
    const { owner } = this.settings;
    return all.filter((record) => {
      const { SetIdentifier, AliasTarget } = record;
      if (SetIdentifier === owner || SetIdentifier?.startsWith(`${owner} `)) return true;
      const earlier = addressOfRecord(record);
      if (earlier !== undefined) return addresses.has(earlier);
      return SetIdentifier === undefined && AliasTarget !== undefined && balancers.some((one) => undotted(one) === undotted(AliasTarget.DNSName));
    });
  }

  private async replace(all: readonly ResourceRecordSet[], own: readonly ResourceRecordSet[], wanted: readonly ResourceRecordSet[]): Promise<boolean> {
    const others = all.filter((record) => !own.includes(record));
    const conflict = conflicts(others, wanted);
    if (conflict !== undefined)
      throw new Error(
        `${this.settings.name} leads to what is not of this service (${conflict}), and Route 53 has no other kind of records beside it. Delete that record, or give all services on this name the same kind of DnsRouting, each its own role`,
      );
    const kept = own.filter((record) => wanted.some((one) => isSame(one, record)));
    const Changes: Change[] = [
      ...own
        .filter((record) => !kept.includes(record) && !wanted.some((one) => isChangedInPlace(record, one)))
        .map((ResourceRecordSet) => ({ Action: 'DELETE' as const, ResourceRecordSet })),
      ...wanted.filter((one) => !kept.some((record) => isSame(one, record))).map((ResourceRecordSet) => ({ Action: 'UPSERT' as const, ResourceRecordSet })),
    ];
    if (Changes.length === 0) return false;
    await this.client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: this.settings.zoneId, ChangeBatch: { Changes } }));
    return true;
  }

  /** A record for each address; where Route 53 chooses between services, one of the service with all of them. */
  private ofAddresses(ips: readonly string[]): ResourceRecordSet[] {
    const { name: Name, seconds: TTL, owner, routing } = this.settings;
    const typeOf = (ip: string): RRType => (ip.includes(':') ? 'AAAA' : 'A');
    if (routing.weight === undefined && routing.failover === undefined)
      return ips.map((ip) => ({
        Name,
        Type: typeOf(ip),
        SetIdentifier: `${owner} ${ip}`,
        MultiValueAnswer: true,
        TTL,
        HealthCheckId: routing.healthCheckId,
        ResourceRecords: [{ Value: ip }],
      }));
    return (['A', 'AAAA'] as const)
      .map((Type) => ({ Type, values: ips.filter((ip) => typeOf(ip) === Type) }))
      .filter(({ values }) => values.length > 0)
      .map(({ Type, values }) => ({ Name, Type, ...this.chosen(), TTL, ResourceRecords: [...values].sort().map((Value) => ({ Value })) }));
  }

  /** An alias can't be one of many answers, so a service that is alone on its name is the only one that is chosen. */
  private ofBalancer({ dnsName, zoneId }: BalancerName): ResourceRecordSet {
    const AliasTarget = { DNSName: dnsName, HostedZoneId: zoneId, EvaluateTargetHealth: false };
    return { Name: this.settings.name, Type: 'A', ...this.chosen(), AliasTarget };
  }

  private chosen(): Pick<ResourceRecordSet, 'SetIdentifier' | 'Weight' | 'Failover' | 'HealthCheckId'> {
    const { owner, routing } = this.settings;
    const { weight, failover, healthCheckId: HealthCheckId } = routing;
    return { SetIdentifier: owner, ...(failover ? { Failover: failover } : { Weight: weight ?? 1 }), HealthCheckId };
  }

  /** Of a zone that went before its records, none: a service that goes would else be stuck. */
  private async left(): Promise<ResourceRecordSet[]> {
    try {
      return await this.records();
    } catch (error) {
      if (error instanceof NoSuchHostedZone) return [];
      throw error;
    }
  }

  private async records(): Promise<ResourceRecordSet[]> {
    const { zoneId, name } = this.settings;
    // Names come in order, beginning at the one asked for; the records of one name and type are far fewer than a page.
    const { ResourceRecordSets = [] } = await this.client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: name, StartRecordType: 'A' }),
    );
    return ResourceRecordSets.filter((record) => undotted(record.Name) === undotted(name) && (record.Type === 'A' || record.Type === 'AAAA'));
  }
}
