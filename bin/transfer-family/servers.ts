/** What AWS Transfer Family's API tells of a service: its servers, and the users that it manages itself. */
import {
  type DescribedServer,
  type DescribedUser,
  DescribeServerCommand,
  DescribeUserCommand,
  paginateListServers,
  paginateListUsers,
  type TransferClient,
} from '@aws-sdk/client-transfer';

export interface TransferServer {
  readonly server: DescribedServer;
  /** Empty unless the service itself manages them: the API knows no others. */
  readonly users: readonly DescribedUser[];
}

/** All servers of the region, or the one named. */
export async function transferServers(client: TransferClient, only?: string): Promise<TransferServer[]> {
  const ids: string[] = only === undefined ? [] : [only];
  if (only === undefined) for await (const { Servers = [] } of paginateListServers({ client }, {})) ids.push(...Servers.map(({ ServerId }) => ServerId!));
  const servers: TransferServer[] = [];
  for (const ServerId of ids) {
    const { Server } = await client.send(new DescribeServerCommand({ ServerId }));
    const managed = Server!.IdentityProviderType === 'SERVICE_MANAGED';
    servers.push({ server: { ...Server!, ServerId }, users: managed ? await usersOf(client, ServerId) : [] });
  }
  return servers;
}

async function usersOf(client: TransferClient, ServerId: string): Promise<DescribedUser[]> {
  const users: DescribedUser[] = [];
  for await (const { Users = [] } of paginateListUsers({ client }, { ServerId }))
    for (const { UserName } of Users) {
      const { User } = await client.send(new DescribeUserCommand({ ServerId, UserName }));
      users.push({ ...User!, UserName });
    }
  return users.sort((one, other) => one.UserName!.localeCompare(other.UserName!, 'en'));
}
