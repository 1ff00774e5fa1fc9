/** `ftps key-policy`: what the policy of a key has to say that another team looks after. */
import { Command } from 'commander';
import { type NeededPolicy, neededPolicies } from '../key-policy/statements';
import { remark, say } from '../terminal/say';
import { UsageError } from './exit';

export function keyPolicyCommand(): Command {
  return new Command('key-policy')
    .description(
      'Reads a synthesized app and prints the statements that the policy of a key needs which is given as encryptionKey and looked after elsewhere. A key of the app itself has them already.',
    )
    .option('--assembly <folder>', 'what cdk synth wrote', 'cdk.out')
    .option('--key <arn>', 'which key, where there are several')
    .option('--account <id>', 'account that is deployed to, where the app does not say')
    .option('--region <name>', 'region that is deployed to, where the app does not say')
    .action(({ assembly, key, account, region }: { assembly: string; key?: string; account?: string; region?: string }) => {
      const policy = chosen(neededPolicies(assembly, { account, region }), key, assembly);
      say(`${JSON.stringify({ Version: '2012-10-17', Statement: policy.statements }, undefined, 2)}\n`);
      remark(`For ${policy.key}, beside what it has: those who administer it stay.\n`);
      for (const line of acrossAccounts(policy)) remark(`${line}\n`);
    });
}

function chosen(policies: readonly NeededPolicy[], key: string | undefined, assembly: string): NeededPolicy {
  const fitting = policies.filter((one) => key === undefined || one.key === key);
  if (fitting.length === 1) return fitting[0]!;
  const there = policies.map((one) => `\n  ${one.key}`).join('');
  if (fitting.length > 1) throw new UsageError(`--key: is missing; there are${there}`);
  throw new UsageError(
    key === undefined ? `${assembly} uses no key of anybody else's` : `--key: no stack uses ${key}${there === '' ? '' : `; there are${there}`}`,
  );
}

/** Auto Scaling has no policy of its own for keys, and a key policy alone lets nobody in from another account (Auto Scaling user guide, "Required AWS KMS key policy for use with encrypted volumes", example 2). */
function acrossAccounts({ key, accounts, statements }: NeededPolicy): string[] {
  const [, partition, , region, owner] = key.split(':');
  if (!statements.some(({ Sid }) => Sid?.startsWith('FtpsVolumes'))) return [];
  return accounts
    .filter((account) => account !== owner)
    .map((account) => {
      const role = `arn:${partition}:iam::${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
      return `The key lies in another account. Once, as somebody in ${account} whom its policy lets make grants:
  aws kms create-grant --region ${region} --key-id ${key} --grantee-principal ${role} --operations Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant`;
    });
}
