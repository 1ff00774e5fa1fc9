/** The Lambda that tells a deployment the addresses of allocations that are there already. */
import { Logger } from '@aws-lambda-powertools/logger';
import { DescribeAddressesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { answerCloudFormation, type CloudFormationRequest } from '../../functions/cloudformation';

interface LookUp extends CloudFormationRequest {
  readonly ResourceProperties?: { readonly AllocationIds: readonly string[] };
}

const logger = new Logger({ serviceName: 'ftps-address-lookup' });

export async function handler(event: LookUp): Promise<void> {
  await answerCloudFormation(event, async () => {
    if (event.RequestType === 'Delete') return undefined;
    const found = await lookUp(event.ResourceProperties!.AllocationIds);
    logger.info('addresses were looked up', found);
    return found;
  });
}

/** `Address1`, `Address2` … in the order of the ids. */
async function lookUp(allocationIds: readonly string[]): Promise<Record<string, string>> {
  // By a filter, which takes an id that is gone; the words about it are ours then.
  const { Addresses = [] } = await new EC2Client({ maxAttempts: 6 }).send(
    new DescribeAddressesCommand({ Filters: [{ Name: 'allocation-id', Values: [...allocationIds] }] }),
  );
  return Object.fromEntries(
    allocationIds.map((id, index) => {
      const ip = Addresses.find(({ AllocationId }) => AllocationId === id)?.PublicIp;
      if (ip === undefined) throw new Error(`allocationIds: ${id} is no Elastic IP address of this account and region`);
      return [`Address${index + 1}`, ip];
    }),
  );
}
