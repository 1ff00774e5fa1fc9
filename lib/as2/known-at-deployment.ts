/** What of an agreement is known at deployment alone: nobody could check it, and no file of the app could hold it. */
import { Token } from 'aws-cdk-lib';
import type { Problem } from '../../server/config';
import type { As2Agreement } from '../protocols/as2-settings';

/** One for each value, by the prop that it was given for. */
export function knownAtDeployment(agreements: readonly As2Agreement[]): Problem[] {
  return agreements
    .flatMap((agreement, index) => unresolvedIn(agreement, `as2.agreements[${index}]`))
    .map((key) => ({ key, message: 'is known at deployment alone, and the settings of partners are checked before; write it out' }));
}

function unresolvedIn(value: unknown, key: string): string[] {
  if (Token.isUnresolved(value)) return [key];
  if (typeof value !== 'object' || value === null || 'toSeconds' in value || 'toBytes' in value) return [];
  return Object.entries(value).flatMap(([name, one]) => unresolvedIn(one, Array.isArray(value) ? `${key}[${name}]` : `${key}.${name}`));
}
