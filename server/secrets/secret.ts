/** Reads AWS Secrets Manager. The SDK finds region, credentials and AWS_ENDPOINT_URL by itself. */
import { GetSecretValueCommand, InvalidRequestException, ResourceNotFoundException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

let client: SecretsManagerClient | undefined;

/** The current value of a secret, which must be JSON. Throws an Error that names the secret and never quotes its value. */
export async function readSecret(secretId: string): Promise<unknown> {
  const value = await findSecret(secretId);
  if (value === undefined) throw new Error(`the secret ${secretId} does not exist`);
  return value;
}

/** The same, but undefined where there is no such secret, or none any more. */
export async function findSecret(secretId: string): Promise<unknown> {
  client ??= new SecretsManagerClient({ maxAttempts: 4 });
  let text: string | undefined;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException || isBeingDeleted(error)) return undefined;
    throw new Error(`the secret ${secretId} can't be read (${(error as Error).name})`, { cause: error });
  }
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new Error(`the secret ${secretId} is no JSON`); // without the cause, whose words quote the value
  }
}

/** A secret that was deleted can be restored for some days, but no longer be read. */
function isBeingDeleted(error: unknown): boolean {
  return error instanceof InvalidRequestException && /delet/i.test(error.message);
}
