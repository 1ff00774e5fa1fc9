/** What becomes of a server of AWS Transfer Family here: accounts, and what a person has to do. */
import type { DescribedUser } from '@aws-sdk/client-transfer';
import { publicKey } from '../../server/config';
import { homeOf } from '../../server/identity/transfer-family';
import type { WrittenAccount } from '../commands/account-store';
import type { TransferServer } from './servers';

export interface Plan {
  readonly id: string;
  /** Protocols, endpoint and source of users, in a line. */
  readonly description: string;
  /** Accounts that can be written, with their keys; one without keys needs a password, because the service keeps none. */
  readonly accounts: readonly WrittenAccount[];
  /** Users that need a person's decision, and why. */
  readonly leftOut: readonly { readonly user: string; readonly reason: string }[];
  /** What else there is to do. */
  readonly advice: readonly string[];
}

export function planFor({ server, users }: TransferServer, { acceptPolicies = false }: { readonly acceptPolicies?: boolean } = {}): Plan {
  const id = server.ServerId!;
  const accounts: WrittenAccount[] = [];
  const leftOut: { user: string; reason: string }[] = [];
  for (const user of users) {
    try {
      accounts.push(accountOf(user, acceptPolicies));
    } catch (error) {
      leftOut.push({ user: user.UserName!, reason: (error as Error).message });
    }
  }
  const description = [server.Protocols?.join(', ') ?? 'SFTP', server.EndpointType, server.IdentityProviderType].filter(Boolean).join(' · ');
  return { id, description, accounts, leftOut, advice: [...adviceOnUsers(server), ...adviceOnKeys(users), ...adviceOnServer(server)] };
}

function accountOf(user: DescribedUser, acceptPolicies: boolean): WrittenAccount {
  const name = user.UserName!;
  if (user.Policy && !acceptPolicies)
    throw new Error('Policy: its session policy has no counterpart; an account sees its home and nothing else. --accept-policies takes it so');
  const logical = user.HomeDirectoryType === 'LOGICAL';
  const publicKeys = keysOf(user).filter(isTaken);
  return {
    user: name,
    home: homeOf(name, user.HomeDirectory, logical ? user.HomeDirectoryMappings : undefined),
    ...(publicKeys.length > 0 ? { publicKeys } : {}),
  };
}

const keysOf = ({ SshPublicKeys = [] }: DescribedUser) => SshPublicKeys.map(({ SshPublicKeyBody }) => SshPublicKeyBody!.trim());
const isTaken = (line: string) => publicKey.safeParse(line).success;

function adviceOnKeys(users: readonly DescribedUser[]): string[] {
  const without = users.filter((user) => keysOf(user).some((line) => !isTaken(line))).map(({ UserName }) => UserName!);
  return without.length === 0 ? [] : [`Of a kind that is not taken, and left out: keys of ${without.join(', ')}. Ed25519, ECDSA and RSA are taken.`];
}

function adviceOnUsers({ ServerId, IdentityProviderType, IdentityProviderDetails }: TransferServer['server']): string[] {
  switch (IdentityProviderType) {
    case 'SERVICE_MANAGED':
      return [];
    case 'AWS_DIRECTORY_SERVICE':
      return [
        `Its users are in the directory ${IdentityProviderDetails?.DirectoryId ?? ''}: use DirectoryAccounts, with a rule for each group that \`aws transfer list-accesses\` names.`,
      ];
    default:
      return [
        `Its users are where its identity provider looks. Are they secrets, then: ftps user import --from-prefix aws/transfer/${ServerId}/ --prefix PREFIX`,
      ];
  }
}

function adviceOnServer({
  Protocols = ['SFTP'],
  Domain,
  EndpointDetails,
  HostKeyFingerprint,
  PreAuthenticationLoginBanner,
}: TransferServer['server']): string[] {
  return [
    ...(Protocols.includes('FTP') ? ['It serves FTP without TLS, which this service does not: tell those partners.'] : []),
    ...(Protocols.includes('SFTP')
      ? [
          'It serves SFTP: server: { sftp: … } does here (docs/sftp.md). Accounts with keys log in by them as before.',
          `Its host key${HostKeyFingerprint ? ` (${HostKeyFingerprint})` : ''} can't be read back from AWS. If you have imported it there, put the same private key into sftp.hostKeys, and no partner sees a warning; if not, give partners the fingerprint of the new one in time.`,
        ]
      : []),
    ...(Protocols.includes('FTPS') ? ["Keep its partners' firewalls as they are: server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY }."] : []),
    ...(EndpointDetails?.AddressAllocationIds?.length
      ? ['Its addresses are Elastic IP addresses of yours; partners allow them by number, so tell them the new ones in time.']
      : []),
    ...(Domain === 'EFS' ? ['Its files are in EFS.'] : ['Its files are in S3: copy them below the homes of the new bucket (aws s3 sync).']),
    ...(PreAuthenticationLoginBanner ? ['It has a banner: server: { banner }.'] : []),
  ];
}
