/**
 * The Lambda that writes accounts which are said in code: run by CloudFormation for each of them, and on a schedule that hashes a password
 * anew whose secret has another version. Neither an answer nor a log ever has a password or a hash in it.
 */
import { createHash } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { hashPassword } from '../../../server/identity/password';
import { type Attributes, answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { AccountSecrets, type AccountValue, type Known, LEFT_BEHIND, PASSWORD_TAGS } from './account-secrets';
import { currentVersion, readPassword } from './given-password';

/** What the construct says of an account; CloudFormation hands over texts alone. */
interface Said {
  readonly User: string;
  /** Rules of the account as JSON. */
  readonly Rules: string;
  readonly PasswordSecret?: string;
  readonly AcceptWeakPassword?: string;
  /** Whether servers hash within FIPS 140-3. */
  readonly Fips?: string;
  /** Whether the account outlives its construct. */
  readonly Retain?: string;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

type AccountRequest = CloudFormationRequest & { readonly ResourceProperties: Said; readonly OldResourceProperties?: Said };

const logger = new Logger({ serviceName: 'ftps-accounts' });

export async function handler(event: AccountRequest | { readonly 'detail-type': 'Scheduled Event' }): Promise<void> {
  const { PREFIX = '', KMS_KEY_ID = '', STACK = '' } = process.env;
  const accounts = new Accounts(new AccountSecrets(PREFIX, KMS_KEY_ID), digest(STACK), PREFIX);
  if (isCloudFormation(event)) return answerCloudFormation(event, () => (event.RequestType === 'Delete' ? accounts.remove(event) : accounts.write(event)));
  return accounts.hashAnew();
}

class Accounts {
  constructor(
    private readonly secrets: AccountSecrets,
    private readonly stack: string,
    private readonly prefix: string,
  ) {}

  async write({ LogicalResourceId, ResourceProperties: said, OldResourceProperties: before }: AccountRequest): Promise<Attributes> {
    const { User: user, PasswordSecret: secretId } = said;
    const name = this.secrets.nameOf(user);
    const owner = this.ownerOf(LogicalResourceId);
    const known = await this.secrets.find(name);
    if (known) this.refuseOthers(user, name, known);
    const password = secretId === undefined ? undefined : await readPassword(secretId, user, said.AcceptWeakPassword === 'true');
    if (secretId !== undefined && secretId.length > LONGEST_TAG)
      throw new Error(`password: the ARN of its secret has ${secretId.length} characters; give the secret a shorter name, ${LONGEST_TAG} are remembered`);
    const rules = { ...(await this.operatorsWord(name, known, before)), ...(JSON.parse(said.Rules) as AccountValue) };
    const value = password === undefined ? rules : { ...rules, passwordHash: await hashPassword(password.text, { fips: said.Fips === 'true' }) };
    const isTaken = known && !known.isDeleted && known.owner !== owner && known.owner !== LEFT_BEHIND;
    const belongs = {
      owner,
      ...(isTaken ? { former: known.owner, formerPassword: known.password } : {}),
      ...(password === undefined || secretId === undefined ? {} : { password: { secretId, version: password.version } }),
    };
    const tags = Object.fromEntries((said.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
    await this.secrets.write(user, value, belongs, tags, known);
    if (known) {
      const gone = (before?.Tags ?? []).map(({ Key }) => Key).filter((key) => !(key in tags));
      await this.secrets.untag(name, [...gone, ...(password === undefined ? PASSWORD_TAGS : [])]);
    }
    logger.info('an account was written', { user, known: known !== undefined });
    return { physicalId: name };
  }

  async remove({ LogicalResourceId, PhysicalResourceId: name = '', ResourceProperties: said }: AccountRequest): Promise<undefined> {
    if (!name.startsWith(this.prefix)) return; // it was never made
    const owner = this.ownerOf(LogicalResourceId);
    const known = await this.secrets.find(name);
    if (!known || known.isDeleted) return;
    if (known.owner !== owner) {
      // Under another id of a construct it goes on: that one took it over before this one was removed.
      if (known.former === owner) await this.secrets.forgetFormer(name);
      return;
    }
    if (known.former !== undefined) await this.secrets.giveBack(name, known);
    else if (said.Retain === 'true') await this.secrets.leaveBehind(name);
    else await this.secrets.remove(name);
    logger.info('an account was let go of', { name });
  }

  /** Passwords whose secrets have another version by now. One that fails keeps no other back. */
  async hashAnew(): Promise<void> {
    const failed: string[] = [];
    for await (const { user, name, password: secretId, passwordVersion } of this.secrets.withPassword(this.stack))
      try {
        if ((await currentVersion(secretId!)) === passwordVersion) continue;
        // A weak one was taken by whoever exchanged it; the rules of new ones were for the deployment.
        const { text, version } = await readPassword(secretId!, user, true);
        const { value, version: read } = await this.secrets.read(name);
        const fips = String(value['passwordHash']).startsWith('$pbkdf2');
        const isDone = await this.secrets.exchange(
          user,
          read,
          { ...value, passwordHash: await hashPassword(text, { fips }) },
          { secretId: secretId!, version },
        );
        logger.info(isDone ? 'a password was hashed anew' : 'an account was changed meanwhile, and is looked at again', { user });
      } catch (error) {
        failed.push(`${user} (${(error as Error).message})`);
      }
    if (failed.length > 0) throw new Error(`passwords that could not be hashed anew: ${failed.join(', ')}`);
  }

  private ownerOf(logicalId: string): string {
    return `${this.stack}/${digest(logicalId)}`;
  }

  private refuseOthers(user: string, name: string, { owner, isDeleted }: Known): void {
    if (owner === undefined)
      throw new Error(
        isDeleted
          ? `account ${user}: the secret ${name} was made by hand and deleted, and can be restored; delete it for good (aws secretsmanager delete-secret --force-delete-without-recovery) or choose another userName`
          : `account ${user}: the secret ${name} is there already and was made by hand; remove it (ftps user remove, then aws secretsmanager delete-secret --force-delete-without-recovery), or choose another userName`,
      );
    if (!isDeleted && owner !== LEFT_BEHIND && !owner.startsWith(`${this.stack}/`))
      throw new Error(`account ${user}: another stack has an account of this name below ${this.prefix}; remove it there first, or choose another userName`);
  }

  /**
   * What an operator has said of an account stays so: that it is disabled (`ftps user disable`), unless the code says otherwise, and what no code says, its
   * codes beside the password and its tokens. A second factor that a deployment took away would be missed by nobody.
   */
  private async operatorsWord(name: string, known: Known | undefined, before: Said | undefined): Promise<AccountValue> {
    if (!known || known.isDeleted) return {};
    const saidInCode = before !== undefined && (JSON.parse(before.Rules) as AccountValue)['enabled'] === false;
    const { value } = await this.secrets.read(name);
    const kept = Object.entries(value).filter(([key, said]) => (key === 'enabled' ? said === false && !saidInCode : key === 'totp' || key === 'tokens'));
    return Object.fromEntries(kept);
  }
}

/** Characters of the value of a tag (AWS Secrets Manager API reference, "Tag"). */
const LONGEST_TAG = 256;

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
