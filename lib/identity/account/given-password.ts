/** The password of an account in a secret of the operator's: looked at, hashed, and never kept, logged or answered. */
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { passwordProblems } from '../../../server/identity/password-rules';

export interface GivenPassword {
  readonly text: string;
  /** Version of the secret that it stands in. */
  readonly version: string;
}

const client = new SecretsManagerClient({ maxAttempts: 6 });

/** The text of the secret, or of `password` where it holds JSON. Throws an Error that says what is wrong, without any of it. */
export async function readPassword(secretId: string, user: string, acceptWeak: boolean): Promise<GivenPassword> {
  const { SecretString, VersionId = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  const text = SecretString === undefined ? undefined : textIn(SecretString);
  if (text === undefined) throw new Error(`password: the secret ${secretId} holds neither text nor JSON with "password"`);
  const problems = passwordProblems(text, user).filter((problem) => !acceptWeak || isUnusable(text, problem));
  if (problems.length > 0) throw new Error(`password: the one in the secret ${secretId} can't be used: ${problems.join('; ')}`);
  return { text, version: VersionId };
}

/** The version that `readPassword` would read. */
export async function currentVersion(secretId: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secretId }));
  return Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
}

function textIn(value: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return value;
  }
  if (typeof json !== 'object' || json === null) return value; // digits alone are JSON as well
  const { password } = json as { password?: unknown };
  return typeof password === 'string' ? password : undefined;
}

/** What no old password may be either: an empty one, and one that no client can send. */
const isUnusable = (text: string, problem: string) => text === '' || /control character|longer than/.test(problem);
