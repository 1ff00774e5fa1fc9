/** The host name before there is a service: its zone, who may issue its certificate, and what it leads to today. */
import { Resolver } from 'node:dns/promises';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { type Finding, looking, ok, problem } from './finding';
import type { Needs } from './needs';

/** Names of Amazon's authorities, any of which will do (ACM user guide, "Configure a CAA record"). */
const AMAZON = ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com'];

export interface Names {
  /** Whether the stacks are there already, so that records of theirs are no surprise. */
  readonly deployed: boolean;
  /** Servers that are asked instead of those of this machine, as `address:port`. */
  readonly resolvers?: readonly string[];
}

export async function nameFindings(needs: Needs, names: Names): Promise<readonly Finding[]> {
  const hosts = [...new Set([...(needs.hostName ? [needs.hostName] : []), ...needs.certificates.flatMap((one) => one.names)])];
  if (hosts.length === 0) return [];
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  if (names.resolvers) resolver.setServers([...names.resolvers]);
  const public_ = needs.certificates.length > 0;
  return [
    ...(await zone(needs, hosts, resolver, public_)),
    ...(needs.hostName && needs.zoneId ? await record(needs.zoneId, needs.hostName, names.deployed) : []),
    ...(public_ ? (await Promise.all(hosts.map((host) => authority(host, resolver)))).flat() : []),
  ];
}

const zone = ({ zoneId }: Needs, hosts: readonly string[], resolver: Resolver, isPublic: boolean) =>
  looking('zone', 'route53:GetHostedZone', async () => {
    if (zoneId === undefined) return [ok('zone', 'is made by the deployment itself')];
    const found = await new Route53Client({}).send(new GetHostedZoneCommand({ Id: zoneId })).catch((error: Error) => {
      if (error.name === 'NoSuchHostedZone' || error.name === 'InvalidInput') return undefined;
      throw error;
    });
    if (!found?.HostedZone)
      return [
        problem(
          'zone',
          `there is no hosted zone ${zoneId} in this account`,
          'Write the id of your zone into hostedZoneId (aws route53 list-hosted-zones), or use credentials of its account.',
        ),
      ];
    const name = found.HostedZone.Name!.replace(/\.$/, '');
    const outside = hosts.filter((host) => host !== name && !host.endsWith(`.${name}`));
    if (outside.length > 0)
      return [problem('zone', `${outside.join(', ')} does not lie in the zone ${name}`, 'Write the zone of the host name into hostedZoneId and zoneName.')];
    if (found.HostedZone.Config?.PrivateZone === true)
      return isPublic
        ? [
            problem(
              'zone',
              `${name} is a private zone, in which ACM can't validate a public certificate`,
              'Use the public zone of that name, or a certificate of a private authority.',
            ),
          ]
        : [ok('zone', `${name}, private`)];
    return delegation(name, found.DelegationSet?.NameServers ?? [], resolver);
  });

/** ACM asks the public DNS for the record that validates a certificate, and waits until somebody answers it. */
async function delegation(name: string, servers: readonly string[], resolver: Resolver): Promise<Finding[]> {
  const delegated = await resolver.resolveNs(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return [];
    throw new Error(`the DNS does not answer for ${name} (${error.code})`);
  });
  const plain = (one: string) => one.replace(/\.$/, '').toLowerCase();
  const wanted = servers.map(plain);
  if (delegated.map(plain).some((one) => wanted.includes(one))) return [ok('zone', `${name}, delegated to Route 53`)];
  const advice = `In the zone above ${name} write NS records: ${wanted.join(', ')}. Until then ACM waits, and the deployment with it.`;
  return [
    problem(
      'zone',
      delegated.length === 0 ? `nobody delegates ${name} to this zone` : `${name} is delegated to ${delegated.join(', ')}, not to this zone`,
      advice,
    ),
  ];
}

const record = (HostedZoneId: string, host: string, deployed: boolean) =>
  looking('record', 'route53:ListResourceRecordSets', async () => {
    const { ResourceRecordSets = [] } = await new Route53Client({})
      .send(new ListResourceRecordSetsCommand({ HostedZoneId, StartRecordName: host, MaxItems: 20 }))
      .catch((error: Error) => {
        if (error.name === 'NoSuchHostedZone') return { ResourceRecordSets: [] }; // said by the zone's check
        throw error;
      });
    const there = ResourceRecordSets.filter(({ Name, Type }) => Name?.replace(/\.$/, '') === host && ['A', 'AAAA', 'CNAME'].includes(Type!));
    if (there.length === 0) return [ok('record', `${host} has no record yet`)];
    if (deployed) return [ok('record', `${host} has the records of the service that is deployed`)];
    const shown = there.map(
      ({ Type, ResourceRecords, AliasTarget }) => `${Type} ${ResourceRecords?.map(({ Value }) => Value).join(', ') ?? AliasTarget?.DNSName ?? ''}`,
    );
    return [
      problem(
        'record',
        `${host} leads somewhere already: ${shown.join('; ')}`,
        'Deploy under another name first and change over later (docs/moving-from-transfer-family.md), or delete the record.',
      ),
    ];
  });

/** The record that counts is the nearest one on the way up (RFC 8659, 3). */
const authority = (host: string, resolver: Resolver) =>
  looking('caa', 'a DNS that answers for CAA records', async () => {
    const name = host.replace(/^\*\./, '');
    const labels = name.split('.');
    for (let from = 0; from < labels.length - 1; from++) {
      const at = labels.slice(from).join('.');
      const records = await resolver.resolveCaa(at).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return [];
        throw new Error(`the DNS does not answer for CAA records of ${at} (${error.code})`);
      });
      if (records.length === 0) continue;
      const wild = host.startsWith('*.') ? records.filter(({ issuewild }) => issuewild !== undefined).map(({ issuewild }) => issuewild!) : [];
      const issuers = wild.length > 0 ? wild : records.flatMap(({ issue }) => (issue === undefined ? [] : [issue]));
      const domains = issuers.map((one) => one.split(';')[0]!.trim());
      if (issuers.length === 0 || domains.some((one) => AMAZON.includes(one))) return [ok('caa', `${host}: Amazon may issue certificates`)];
      return [
        problem(
          'caa',
          `the CAA record of ${at} lets ${domains.filter(Boolean).join(', ') || 'nobody'} issue certificates, not Amazon`,
          `Add 0 issue "amazon.com" to the CAA record of ${at}.`,
        ),
      ];
    }
    return [ok('caa', `${host}: no CAA record, so anybody may issue certificates`)];
  });
