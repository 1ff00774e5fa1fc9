/** Accounts in Secrets Manager after their service was destroyed and made anew, with another key. */
import {
  DecryptionFailure,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { secretStore } from '../../bin/commands/user-secret-store';

const [old, present] = ['old', 'present'].map((id) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`) as [string, string];
const account = { user: 'partner', home: '/partner', passwordHash: '$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' };
const aws = mockClient(SecretsManagerClient);
const gone = new DecryptionFailure({ message: 'key/old is pending deletion', $metadata: {} });
beforeEach(() => aws.reset());

it('moves an account to the key that is there now, in the request that writes it', async () => {
  aws.on(DescribeSecretCommand).resolves({ KmsKeyId: old });
  aws.on(UpdateSecretCommand).resolves({});
  await secretStore('ftps/', present).put([account]);
  expect(aws.commandCalls(UpdateSecretCommand).map(({ args }) => args[0].input)).toEqual([
    { SecretId: 'ftps/partner', KmsKeyId: present, SecretString: expect.stringContaining('"home":"/partner"') },
  ]);
});

it.each([present, 'present', undefined])('writes under the key that an account has: %s', async (kmsKey) => {
  aws.on(DescribeSecretCommand).resolves({ KmsKeyId: present });
  aws.on(PutSecretValueCommand).resolves({});
  await secretStore('ftps/', kmsKey).put([account]);
  expect(aws.commandCalls(UpdateSecretCommand)).toEqual([]);
  expect(aws.commandCalls(PutSecretValueCommand)).toHaveLength(1);
});

it('takes an account that nobody can read any more for none, where it is to have another key, and says what to do where it can not be moved', async () => {
  aws.on(GetSecretValueCommand).rejects(gone);
  aws.on(DescribeSecretCommand).resolves({ KmsKeyId: old });
  aws.on(UpdateSecretCommand).rejects(gone);
  expect(await secretStore('ftps/', present).find('partner')).toBeUndefined();
  await expect(secretStore('ftps/').find('partner')).rejects.toThrow(/can't be read \(DecryptionFailure\)/);
  await expect(secretStore('ftps/', present).put([account])).rejects.toThrow(
    /secret ftps\/partner: its key .*key\/old can't be used any more.*--force-delete-without-recovery --secret-id ftps\/partner/,
  );
});
