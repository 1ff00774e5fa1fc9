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

export class HostRecords {
  constructor(
    private readonly client: Route53Client,
    private readonly settings: HostRecordsSettings,
  ) {}

  /** Makes the records name exactly these addresses, in one change. Answers whether anything had to be changed. */
  async set(ips: readonly string[]): Promise<boolean> {
    const present = await this.records();
    const wanted = new Map(ips.map((ip) => [ip, this.record(ip)]));
    const changes: Change[] = [];
    for (const record of present) {
      const ip = record.SetIdentifier ?? '';
      const keep = wanted.get(ip);
      if (keep && record.TTL === keep.TTL && record.ResourceRecords?.[0]?.Value === ip) wanted.delete(ip);
      else if (!keep) changes.push({ Action: 'DELETE', ResourceRecordSet: record });
    }
    for (const record of wanted.values()) changes.push({ Action: 'UPSERT', ResourceRecordSet: record });
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
    const dotted = (text = '') => text.replace(/\.$/, '').toLowerCase();
    return ResourceRecordSets.filter(
      (record) => dotted(record.Name) === dotted(name) && (record.Type === 'A' || record.Type === 'AAAA') && record.MultiValueAnswer,
    );
  }
}
