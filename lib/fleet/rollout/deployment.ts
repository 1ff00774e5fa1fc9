/** Whether CloudFormation is at work on the stack: it refreshes the instances itself then, and two refreshes at once can't be. */
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';

export async function isDeploying(client: CloudFormationClient, stack: string): Promise<boolean> {
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
  return /_IN_PROGRESS$/.test(Stacks?.[0]?.StackStatus ?? '') && !/CLEANUP_IN_PROGRESS$/.test(Stacks?.[0]?.StackStatus ?? '');
}
