/** The Elastic IP addresses that partners allow: which instance holds which. */
import { AssociateAddressCommand, DescribeAddressesCommand, DisassociateAddressCommand, type EC2Client } from '@aws-sdk/client-ec2';

export interface PoolAddress {
  readonly allocationId: string;
  readonly ip: string;
  readonly instanceId?: string;
  readonly associationId?: string;
}

export class AddressPool {
  constructor(
    private readonly client: EC2Client,
    private readonly allocationIds: readonly string[],
  ) {}

  /** Those that there are. One that somebody has released is missing. */
  async addresses(): Promise<PoolAddress[]> {
    // A filter, unlike a list of ids, takes one that is gone.
    const { Addresses = [] } = await this.client.send(new DescribeAddressesCommand({ Filters: [{ Name: 'allocation-id', Values: [...this.allocationIds] }] }));
    return Addresses.map(({ AllocationId, PublicIp, InstanceId, AssociationId }) => ({
      allocationId: AllocationId!,
      ip: PublicIp!,
      instanceId: InstanceId || undefined,
      associationId: AssociationId || undefined,
    })).sort((one, other) => (one.allocationId < other.allocationId ? -1 : 1));
  }

  /** Ids of the pool that none of these addresses has. */
  missingIn(addresses: readonly PoolAddress[]): string[] {
    return this.allocationIds.filter((id) => !addresses.some(({ allocationId }) => allocationId === id));
  }

  /** Gives a free address to an instance. False where the instance can't take one: gone, or not there yet. */
  async give({ allocationId }: PoolAddress, instanceId: string): Promise<boolean> {
    try {
      await this.client.send(new AssociateAddressCommand({ AllocationId: allocationId, InstanceId: instanceId, AllowReassociation: false }));
      return true;
    } catch (error) {
      // An instance that is only being started has no network yet; the next run finds it.
      if (['InvalidInstanceID.NotFound', 'InvalidInstanceID', 'IncorrectInstanceState'].includes((error as Error).name)) return false;
      throw error;
    }
  }

  async takeBack({ associationId }: PoolAddress): Promise<void> {
    try {
      await this.client.send(new DisassociateAddressCommand({ AssociationId: associationId! }));
    } catch (error) {
      if ((error as Error).name !== 'InvalidAssociationID.NotFound') throw error; // went by itself when its instance ended
    }
  }
}
