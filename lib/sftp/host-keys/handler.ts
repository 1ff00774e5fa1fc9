/**
 * The Lambda that makes the host keys of SFTP when there are none, and says what is public of them: run by CloudFormation, and once a day to see
 * whether they can be read. Neither an answer nor a log ever has a private key in it, and no run replaces one.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { type Attributes, answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { HostKeySecret } from './host-key-secret';
import { makeHostKeys } from './make-host-keys';
import { fingerprints, knownHosts } from './public-half';

type HostKeysRequest = CloudFormationRequest & {
  readonly ResourceProperties: {
    /** ARN of the secret. */
    readonly Secret: string;
    /** Names by which clients look for the service, as known_hosts has them, with commas between them. */
    readonly Hosts?: string;
    /** Whether the servers that they are made for stay within FIPS 140-3. */
    readonly Fips?: string;
  };
};

const logger = new Logger({ serviceName: 'ftps-host-keys' });

export async function handler(event: HostKeysRequest | { readonly 'detail-type': 'Scheduled Event' }): Promise<void> {
  const { SECRET_ID = '', MAKES } = process.env;
  const secret = new HostKeySecret(SECRET_ID);
  if (!isCloudFormation(event)) {
    await secret.read();
    return;
  }
  // What is deleted is the word of it in a template: the keys stay.
  await answerCloudFormation(event, async () =>
    event.RequestType === 'Delete' ? undefined : told(await keysIn(secret, MAKES === 'true', event.ResourceProperties.Fips === 'true'), event),
  );
}

async function keysIn(secret: HostKeySecret, makes: boolean, fips: boolean) {
  if (makes && (await secret.isEmpty())) {
    await secret.writeFirst(makeHostKeys({ fips }));
    logger.info('host keys were made', { secret: secret.id });
  }
  return secret.read();
}

function told(keys: Awaited<ReturnType<HostKeySecret['read']>>, { ResourceProperties: { Hosts = '' } }: HostKeysRequest): Attributes {
  return { KnownHosts: knownHosts(keys, Hosts), Fingerprints: fingerprints(keys) };
}
