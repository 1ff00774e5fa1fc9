/** The DNS records of the host name: a multivalue answer record per serving address (Amazon Route 53 developer guide, "Multivalue answer routing"). */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';

export interface HostRecordsSettings {
  readonly zoneId: string;
  readonly name: string;
  /** Time to live of a record. */
  readonly seconds: number;
}

/** Where an alias leads: the name of a load balancer, and the zone that its region has for such names. */
export interface BalancerName {
  readonly dnsName: string;
  readonly zoneId: string;
}

export class HostRecords {
  constructor(
    private readonly client: Route53Client,
    private readonly settings: HostRecordsSettings,
  ) {}

  /**
   * Makes the records name exactly these addresses, in one change. An alias of a load balancer that the service had before goes in the same
   * change, since a name can't have both. Answers whether anything had to be changed.
   */
  async set(ips: readonly string[]): Promise<boolean> {
    const all = await this.records();
    const present = all.filter(isOfAnAddress);
    const wanted = new Map(ips.map((ip) => [ip, this.record(ip)]));
    const changes: Change[] = ips.length > 0 ? all.filter(isOfABalancer).map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet })) : [];
    for (const record of present) {
      const ip = record.SetIdentifier ?? '';
      const keep = wanted.get(ip);
      if (keep && record.TTL === keep.TTL && record.ResourceRecords?.[0]?.Value === ip) wanted.delete(ip);
      else if (!keep) changes.push({ Action: 'DELETE', ResourceRecordSet: record });
    }
    for (const record of wanted.values()) changes.push({ Action: 'UPSERT', ResourceRecordSet: record });
    return this.change(changes);
  }

  /** Makes the name an alias of a load balancer, in place of the addresses that it had. */
  async alias({ dnsName, zoneId }: BalancerName): Promise<void> {
    const wanted: ResourceRecordSet = {
      Name: this.settings.name,
      Type: 'A',
      AliasTarget: { DNSName: dnsName, HostedZoneId: zoneId, EvaluateTargetHealth: false },
    };
    const addresses = (await this.records()).filter(isOfAnAddress);
    await this.change([
      ...addresses.map((ResourceRecordSet) => ({ Action: 'DELETE' as const, ResourceRecordSet })),
      { Action: 'UPSERT', ResourceRecordSet: wanted },
    ]);
  }

  /** Takes the alias of this load balancer away, and nothing that has taken its place. */
  async unalias({ dnsName }: BalancerName): Promise<void> {
    const own = (await this.records()).filter(({ AliasTarget }) => undotted(AliasTarget?.DNSName) === undotted(dnsName));
    await this.change(own.map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet })));
  }

  private async change(changes: Change[]): Promise<boolean> {
    if (changes.length === 0) return false;
    await this.client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: this.settings.zoneId, ChangeBatch: { Changes: changes } }));
    return true;
  }

  private record(ip: string): ResourceRecordSet {
    const { name, seconds } = this.settings;
    return { Name: name, Type: ip.includes(':') ? 'AAAA' : 'A', SetIdentifier: ip, MultiValueAnswer: true, TTL: seconds, ResourceRecords: [{ Value: ip }] };
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

const undotted = (name = '') => name.replace(/\.$/, '').toLowerCase();
/** Those that this makes: one for each address, named by it. */
const isOfAnAddress = ({ MultiValueAnswer, SetIdentifier, ResourceRecords }: ResourceRecordSet) =>
  MultiValueAnswer === true && SetIdentifier === ResourceRecords?.[0]?.Value;
const isOfABalancer = ({ AliasTarget }: ResourceRecordSet) => /\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(undotted(AliasTarget?.DNSName));
