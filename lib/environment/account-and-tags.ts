/** What an account would refuse of an environment: its own id and region, the id of the zone, and tags. */
import { Token } from 'aws-cdk-lib';
import type { Problem } from '../../server/config';
import type { FtpsEnvironmentSettings } from '../environment-settings';
import { isBlock } from './kinds';
import { ifSo } from './problems';

export function accountProblems({ env, hostedZoneId, tags }: FtpsEnvironmentSettings): Problem[] {
  return [
    ...wrongText('env.account', env?.account, /^\d{12}$/, 'is no account; write the twelve digits of its id'),
    ...wrongText('env.region', env?.region, /^[a-z]{2,}(-[a-z]+)+-\d+$/, 'is no region; write it as eu-central-1'),
    ...wrongText('hostedZoneId', hostedZoneId, /^[A-Z0-9]{1,32}$/, 'is no id of a zone; write it as Z0123456789ABCDEFGHIJ, without a path before it'),
    ...tagProblems(tags),
  ];
}

function wrongText(key: string, value: unknown, right: RegExp, message: string): Problem[] {
  return ifSo(typeof value === 'string' && value !== '' && !Token.isUnresolved(value) && !right.test(value), key, `"${String(value)}" ${message}`);
}

/** What every service takes (IAM user guide, "Rules for tagging in IAM and AWS STS"), which is the least. */
function tagProblems(tags: unknown): Problem[] {
  if (!isBlock(tags)) return [];
  const right = (text: unknown, most: number) => typeof text === 'string' && text.length <= most && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text);
  return Object.entries(tags).flatMap(([key, value]) => [
    ...ifSo(
      !right(key, 128) || key === '' || /^aws:/i.test(key),
      'tags',
      `"${key}" can't be the name of a tag; use up to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:`,
    ),
    ...ifSo(
      typeof value !== 'string' || (!Token.isUnresolved(value) && !right(value, 256)),
      `tags.${key}`,
      `${JSON.stringify(value)} can't be the value of a tag; write a text of up to 256 letters, digits, spaces and _.:/=+-@`,
    ),
  ]);
}
