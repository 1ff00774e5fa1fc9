/** What can be said of a record set by looking at it. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';

export const undotted = (name = '') => name.replace(/\.$/, '').toLowerCase();

/** The address of a record that is named by it, as earlier versions named theirs. */
export function addressOfRecord({ MultiValueAnswer, SetIdentifier, ResourceRecords }: ResourceRecordSet): string | undefined {
  return MultiValueAnswer === true && SetIdentifier === ResourceRecords?.[0]?.Value ? SetIdentifier : undefined;
}

/** Kind of routing: a name has one kind for each type (Amazon Route 53 API reference, "ResourceRecordSet"). */
function policyOf({ SetIdentifier, MultiValueAnswer, Weight, Failover }: ResourceRecordSet): string {
  if (SetIdentifier === undefined) return 'simple';
  if (MultiValueAnswer) return 'multivalue';
  if (Weight !== undefined) return 'weighted';
  return Failover === undefined ? 'another kind' : 'failover';
}

/** Of the records of others, the first that can't stand beside those that are wanted, in words. */
export function conflicts(others: readonly ResourceRecordSet[], wanted: readonly ResourceRecordSet[]): string | undefined {
  for (const record of others)
    for (const one of wanted)
      if (one.Type === record.Type && (policyOf(one) !== policyOf(record) || (one.Failover !== undefined && one.Failover === record.Failover)))
        return `${record.Type}, ${policyOf(record)}${record.Failover ? ` ${record.Failover}` : ''}, ${inWords(record)}`;
  return undefined;
}

const inWords = ({ AliasTarget, ResourceRecords = [], SetIdentifier }: ResourceRecordSet) =>
  `${SetIdentifier === undefined ? '' : `"${SetIdentifier}" `}${AliasTarget?.DNSName ?? ResourceRecords.map(({ Value }) => Value).join(' ')}`;

/** Whether a record only gets other values: of the same name, and of the same kind of routing. */
export function isChangedInPlace(record: ResourceRecordSet, wanted: ResourceRecordSet): boolean {
  return record.Type === wanted.Type && record.SetIdentifier === wanted.SetIdentifier && policyOf(record) === policyOf(wanted);
}

export function isSame(one: ResourceRecordSet, other: ResourceRecordSet): boolean {
  return whatMatters(one) === whatMatters(other);
}

function whatMatters({ Type, SetIdentifier, MultiValueAnswer, Weight, Failover, HealthCheckId, TTL, ResourceRecords, AliasTarget }: ResourceRecordSet): string {
  const values = ResourceRecords?.map(({ Value }) => Value).sort() ?? [];
  return JSON.stringify([
    ...[Type, SetIdentifier, MultiValueAnswer === true, Weight ?? '', Failover ?? '', HealthCheckId ?? '', ...values],
    ...(AliasTarget ? [undotted(AliasTarget.DNSName)] : [TTL]),
  ]);
}
