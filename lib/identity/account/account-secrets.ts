/**
 * Secrets that hold accounts, one each, and to whom they belong: tags say which resource of which stack made one. What nobody here made,
 * as `ftps user add` does, is never changed.
 */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  paginateListSecrets,
  ResourceNotFoundException,
  RestoreSecretCommand,
  type SecretListEntry,
  SecretsManagerClient,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { accountIn } from '../../../server/identity/secret-accounts';

/** Which resource an account belongs to: `stack/resource`, both as digests. */
const OWNER = 'ftps-account-owner';
/** The one that it belonged to before, until that has let go of it. */
const FORMER = 'ftps-account-former-owner';
/** ARN of the secret with its password, and the version of it that was hashed. */
const PASSWORD = 'ftps-account-password';
const VERSION = 'ftps-account-password-version';
/** ARN of the secret with the password that the former owner gave. */
const FORMER_PASSWORD = 'ftps-account-former-password';
/** In place of an owner: it outlived the construct that made it, and the next one of its name takes it. */
export const LEFT_BEHIND = 'left-behind';

/** What is known of an account beside its value. */
export interface Known {
  readonly owner: string | undefined;
  readonly former: string | undefined;
  readonly password: string | undefined;
  readonly passwordVersion: string | undefined;
  readonly formerPassword: string | undefined;
  /** Deleted, and can be restored. */
  readonly isDeleted: boolean;
  readonly kmsKeyId: string | undefined;
  readonly versions: Readonly<Record<string, readonly string[]>>;
}

/** Rules and hash of an account, without its name, as the server reads them. */
export type AccountValue = Readonly<Record<string, unknown>>;

export interface Belongs {
  readonly owner: string;
  readonly former?: string;
  readonly formerPassword?: string;
  /** None for an account without a password. */
  readonly password?: { readonly secretId: string; readonly version: string };
}

export class AccountSecrets {
  private readonly client = new SecretsManagerClient({ maxAttempts: 6 });

  constructor(
    private readonly prefix: string,
    private readonly kmsKeyId: string,
  ) {}

  nameOf(user: string): string {
    return this.prefix + user;
  }

  async find(name: string): Promise<Known | undefined> {
    try {
      return knownOf(await this.client.send(new DescribeSecretCommand({ SecretId: name })));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }

  /** What the secret holds, and the id of that version. */
  async read(name: string): Promise<{ readonly value: AccountValue; readonly version: string }> {
    const { SecretString = '', VersionId = '' } = await this.client.send(new GetSecretValueCommand({ SecretId: name }));
    try {
      return { value: JSON.parse(SecretString) as AccountValue, version: VersionId };
    } catch {
      throw new Error(`the secret ${name} is no JSON`); // without the cause, whose words quote the value
    }
  }

  /** Writes the account, whether it is there, was deleted, or is new. Nothing is written that the server could not read. */
  async write(user: string, value: AccountValue, belongs: Belongs, tags: Readonly<Record<string, string>>, known: Known | undefined): Promise<void> {
    const name = this.nameOf(user);
    const SecretString = this.checked(user, value);
    const Tags = [...tagsOf(belongs), ...Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))];
    if (!known) {
      await this.client.send(new CreateSecretCommand({ Name: name, SecretString, KmsKeyId: this.kmsKeyId, Description: `FTPS account ${user}`, Tags }));
      return;
    }
    if (known.isDeleted) await this.client.send(new RestoreSecretCommand({ SecretId: name }));
    if (known.kmsKeyId === this.kmsKeyId) await this.client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    else await this.client.send(new UpdateSecretCommand({ SecretId: name, SecretString, KmsKeyId: this.kmsKeyId }));
    await this.tag(name, Tags);
  }

  /** Exchanges the value of a version that was read; false where another has taken its place meanwhile, which then stays. */
  async exchange(user: string, read: string, value: AccountValue, password: { readonly secretId: string; readonly version: string }): Promise<boolean> {
    const name = this.nameOf(user);
    const { VersionId: written } = await this.client.send(new PutSecretValueCommand({ SecretId: name, SecretString: this.checked(user, value) }));
    const replaced = versionWith('AWSPREVIOUS', await this.find(name));
    if (replaced !== undefined && replaced !== read) {
      await this.makeCurrent(name, replaced, written!);
      return false;
    }
    await this.tag(name, [
      { Key: PASSWORD, Value: password.secretId },
      { Key: VERSION, Value: password.version },
    ]);
    return true;
  }

  /** Gives it back to the one that it belonged to before, as it was then. */
  async giveBack(name: string, { former, formerPassword, versions }: Known): Promise<void> {
    const [current, previous] = [versionWith('AWSCURRENT', { versions }), versionWith('AWSPREVIOUS', { versions })];
    if (current !== undefined && previous !== undefined) await this.makeCurrent(name, previous, current);
    await this.tag(name, [{ Key: OWNER, Value: former! }, ...(formerPassword === undefined ? [] : [{ Key: PASSWORD, Value: formerPassword }])]);
    await this.untag(name, [FORMER, FORMER_PASSWORD, VERSION]); // the next look at the password hashes it anew
  }

  forgetFormer(name: string): Promise<void> {
    return this.untag(name, [FORMER, FORMER_PASSWORD]);
  }

  leaveBehind(name: string): Promise<void> {
    return this.tag(name, [{ Key: OWNER, Value: LEFT_BEHIND }]);
  }

  /** It can be restored for 30 days. */
  async remove(name: string): Promise<void> {
    await this.client.send(new DeleteSecretCommand({ SecretId: name }));
  }

  async untag(name: string, TagKeys: readonly string[]): Promise<void> {
    if (TagKeys.length > 0) await this.client.send(new UntagResourceCommand({ SecretId: name, TagKeys: [...TagKeys] }));
  }

  /** Accounts of a stack that have a password. */
  async *withPassword(stack: string): AsyncIterable<{ readonly user: string; readonly name: string } & Known> {
    const Filters = [
      { Key: 'name' as const, Values: [this.prefix] },
      { Key: 'tag-key' as const, Values: [PASSWORD] },
    ];
    for await (const { SecretList = [] } of paginateListSecrets({ client: this.client }, { Filters }))
      for (const entry of SecretList) {
        const name = entry.Name ?? '';
        const known = knownOf({ ...entry, VersionIdsToStages: entry.SecretVersionsToStages });
        if (name.startsWith(this.prefix) && known.owner?.startsWith(`${stack}/`) && known.password !== undefined && !known.isDeleted)
          yield { user: name.slice(this.prefix.length), name, ...known };
      }
  }

  private checked(user: string, value: AccountValue): string {
    accountIn(value, user, this.nameOf(user));
    return JSON.stringify(value);
  }

  private async makeCurrent(name: string, version: string, from: string): Promise<void> {
    await this.client.send(
      new UpdateSecretVersionStageCommand({ SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: version, RemoveFromVersionId: from }),
    );
  }

  private async tag(name: string, Tags: Tag[]): Promise<void> {
    await this.client.send(new TagResourceCommand({ SecretId: name, Tags }));
  }
}

function tagsOf({ owner, former, formerPassword, password }: Belongs): Tag[] {
  const tags = { [OWNER]: owner, [FORMER]: former, [FORMER_PASSWORD]: formerPassword, [PASSWORD]: password?.secretId, [VERSION]: password?.version };
  return Object.entries(tags).flatMap(([Key, Value]) => (Value === undefined ? [] : [{ Key, Value }]));
}

/** Tags that an account has no more when it has no password. */
export const PASSWORD_TAGS = [PASSWORD, VERSION];

function knownOf({ Tags = [], DeletedDate, KmsKeyId, VersionIdsToStages = {} }: SecretListEntry & { VersionIdsToStages?: Record<string, string[]> }): Known {
  const tag = (key: string) => Tags.find(({ Key }) => Key === key)?.Value;
  return {
    owner: tag(OWNER),
    former: tag(FORMER),
    password: tag(PASSWORD),
    passwordVersion: tag(VERSION),
    formerPassword: tag(FORMER_PASSWORD),
    isDeleted: DeletedDate !== undefined,
    kmsKeyId: KmsKeyId,
    versions: VersionIdsToStages,
  };
}

function versionWith(stage: string, known: Pick<Known, 'versions'> | undefined): string | undefined {
  return Object.entries(known?.versions ?? {}).find(([, stages]) => stages.includes(stage))?.[0];
}
