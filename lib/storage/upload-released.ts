/** Which uploads a rule hears of. */
import { Token } from 'aws-cdk-lib';
import { type EventPattern, Match, type OnEventOptions } from 'aws-cdk-lib/aws-events';
import { passwordAccount } from '../../server/config';
import { EVENT_SOURCE, EVENT_TYPE } from '../../server/files/release/event';

/** Which uploads `onUploadReleased` is about, and what hears of them. */
export interface OnUploadReleasedOptions extends OnEventOptions {
  /**
   * Names of the accounts whose uploads are meant.
   * @default - all
   */
  readonly accounts?: string[];
  /**
   * What the path begins with, as the client names it: `/invoices/`.
   * @default - any
   */
  readonly prefix?: string;
}

/** Those of one storage. */
export function uploadPattern(storage: string, options: OnUploadReleasedOptions): EventPattern {
  const { accounts, prefix } = options;
  if (accounts?.length === 0) throw new Error('accounts: is empty, so the rule would hear of nothing; name accounts, or leave it out for all of them');
  const wrong = accounts?.find((name) => !Token.isUnresolved(name) && !passwordAccount.shape.user.safeParse(name).success);
  if (wrong !== undefined) throw new Error(`accounts: "${wrong}" is no name of an account; write it as it logs in, for example acme`);
  if (prefix !== undefined && !Token.isUnresolved(prefix) && !prefix.startsWith('/'))
    throw new Error(`prefix: "${prefix}" begins no path; write it as clients see it, for example /${prefix}`);
  const detail = {
    storage: [storage],
    ...(accounts ? { user: accounts } : {}),
    ...(prefix === undefined ? {} : { path: Match.prefix(prefix) }),
  };
  return { source: [EVENT_SOURCE], detailType: [EVENT_TYPE], detail };
}
