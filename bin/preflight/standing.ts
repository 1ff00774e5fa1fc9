/** What the account has or lacks besides quotas: stacks, the CDK's bootstrap, service-linked roles, Inspector, and what an earlier deployment left behind. */

import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeLogGroupsCommand, DescribeResourcePoliciesCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { BatchGetAccountStatusCommand, Inspector2Client } from '@aws-sdk/client-inspector2';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DescribeSecretCommand, paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type Finding, looking, ok, problem, warning } from './finding';
import type { Needs } from './needs';

export interface Standing {
  /** Stacks of the environment that are there and can be updated. */
  readonly deployed: readonly string[];
  readonly findings: readonly Finding[];
}

/** States from which CloudFormation updates nothing (CloudFormation user guide, "Understand CloudFormation stack creation events"). */
const STUCK = /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED|UPDATE_ROLLBACK_FAILED)$/;

export async function stackStanding({ stacks }: Needs): Promise<Standing> {
  const deployed: string[] = [];
  const findings = await looking('stacks', 'cloudformation:DescribeStacks', async () => {
    const client = new CloudFormationClient({});
    const found: Finding[] = [];
    for (const StackName of stacks) {
      const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName })).catch((error: Error) => {
        if (/does not exist/.test(error.message)) return { Stacks: [] };
        throw error;
      });
      const status = Stacks.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE' && StackStatus !== 'REVIEW_IN_PROGRESS')?.StackStatus;
      if (status === undefined) continue;
      if (STUCK.test(status))
        found.push(
          problem(
            'stacks',
            `${StackName} is in ${status}; it can't be updated`,
            status === 'UPDATE_ROLLBACK_FAILED'
              ? `aws cloudformation continue-update-rollback --stack-name ${StackName}, then look again.`
              : `aws cloudformation delete-stack --stack-name ${StackName}, then look again.`,
          ),
        );
      else if (status.endsWith('_IN_PROGRESS')) found.push(problem('stacks', `${StackName} is in ${status}`, 'Wait until it is done.'));
      else deployed.push(StackName);
    }
    return found.length > 0
      ? found
      : [
          ok(
            'stacks',
            deployed.length > 0 ? `${deployed.join(', ')}: deployed already, this would be an update` : 'none yet, this would be a first deployment',
          ),
        ];
  });
  return { deployed, findings };
}

export const bootstrapFindings = ({ bootstrap }: Needs) =>
  looking('bootstrap', 'ssm:GetParameter', async () => {
    if (!bootstrap) return [];
    const version = await parameter(bootstrap.parameter);
    if (version === undefined) return [problem('bootstrap', 'the CDK was never bootstrapped in this account and region', 'npx cdk bootstrap')];
    if (Number(version) < bootstrap.version)
      return [problem('bootstrap', `the CDK's bootstrap has version ${version}; ${bootstrap.version} is needed`, 'npx cdk bootstrap')];
    return [ok('bootstrap', `version ${version}`)];
  });

async function parameter(Name: string): Promise<string | undefined> {
  const found = await new SSMClient({}).send(new GetParameterCommand({ Name })).catch((error: Error) => {
    if (error.name === 'ParameterNotFound') return undefined;
    throw error;
  });
  return found?.Parameter?.Value;
}

/** Roles that a service makes for itself when it is first used, if whoever uses it may (IAM user guide, "Create a service-linked role"). */
const LINKED = [
  ['AWS::AutoScaling::AutoScalingGroup', 'AWSServiceRoleForAutoScaling', 'autoscaling.amazonaws.com'],
  ['AWS::ImageBuilder::ImagePipeline', 'AWSServiceRoleForImageBuilder', 'imagebuilder.amazonaws.com'],
  ['AWS::ElasticLoadBalancingV2::LoadBalancer', 'AWSServiceRoleForElasticLoadBalancing', 'elasticloadbalancing.amazonaws.com'],
  ['AWS::EFS::FileSystem', 'AWSServiceRoleForAmazonElasticFileSystem', 'elasticfilesystem.amazonaws.com'],
  ['AWS::NetworkFirewall::Firewall', 'AWSServiceRoleForNetworkFirewall', 'network-firewall.amazonaws.com'],
] as const;

export const roleFindings = ({ resources }: Needs) =>
  looking('roles', 'iam:GetRole', async () => {
    const iam = new IAMClient({});
    const findings: Finding[] = [];
    for (const [type, RoleName, service] of LINKED) {
      if (!resources.some(({ Type }) => Type === type)) continue;
      const found = await iam.send(new GetRoleCommand({ RoleName })).catch((error: Error) => {
        if (error.name === 'NoSuchEntityException' || error.name === 'NoSuchEntity') return undefined;
        throw error;
      });
      findings.push(
        found
          ? ok('roles', `${RoleName} is there`)
          : warning(
              'roles',
              `${RoleName} is not there yet; the deployment makes it, and what needs it at once may fail meanwhile`,
              `aws iam create-service-linked-role --aws-service-name ${service}`,
            ),
      );
    }
    return findings;
  });

/** Where images are scanned, Inspector has to be switched on for EC2; otherwise the build fails or nothing is found. */
export const inspectorFindings = ({ scansImages }: Needs, account: string) =>
  looking('inspector', 'inspector2:BatchGetAccountStatus', async () => {
    if (!scansImages) return [];
    const { accounts = [] } = await new Inspector2Client({}).send(new BatchGetAccountStatusCommand({ accountIds: [account] }));
    if (accounts[0]?.resourceState?.ec2?.status === 'ENABLED') return [ok('inspector', 'is switched on for EC2')];
    return [
      problem(
        'inspector',
        'images are to be scanned, and Amazon Inspector is not switched on for EC2 in this account and region',
        'aws inspector2 enable --resource-types EC2 (about 1.25 USD for each instance and month), or switch the scan of images off.',
      ),
    ];
  });

/** What bears a name that this deployment wants to give. Where its stack is there, it is the stack's own. */
export async function leftOverFindings(needs: Needs, deployed: readonly string[]): Promise<readonly Finding[]> {
  if (deployed.length === needs.stacks.length) return [];
  const all = (await Promise.all([logGroups(needs), parameters(needs), secrets(needs), accounts(needs), groups(needs), logPolicies(needs)])).flat();
  return all.length > 0 ? all : [ok('left-overs', 'nothing of an earlier deployment is in the way')];
}

const logGroups = (needs: Needs) =>
  looking('left-overs', 'logs:DescribeLogGroups', async () => {
    const client = new CloudWatchLogsClient({});
    const findings: Finding[] = [];
    for (const name of needs.logGroups) {
      const { logGroups: found = [] } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      if (found.some(({ logGroupName }) => logGroupName === name))
        findings.push(
          problem(
            'left-overs',
            `the log group ${name} of an earlier deployment is still there, and its name is taken`,
            `Keep what it says, then: aws logs delete-log-group --log-group-name ${name}`,
          ),
        );
    }
    return findings;
  });

const parameters = (needs: Needs) =>
  looking('left-overs', 'ssm:GetParameter', async () => {
    const there = (await Promise.all(needs.parameters.map(async (name) => ((await parameter(name)) === undefined ? [] : [name])))).flat();
    return there.map((name) =>
      problem(
        'left-overs',
        `the parameter ${name} of an earlier deployment is still there; what it names may be gone`,
        `aws ssm delete-parameter --name ${name}`,
      ),
    );
  });

const secrets = (needs: Needs) =>
  looking('left-overs', 'secretsmanager:DescribeSecret', async () => {
    const client = new SecretsManagerClient({});
    const findings: Finding[] = [];
    for (const SecretId of needs.secrets) {
      const found = await client.send(new DescribeSecretCommand({ SecretId })).catch((error: Error) => {
        if (error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      });
      if (found)
        findings.push(
          problem(
            'left-overs',
            `the secret ${SecretId} of an earlier deployment is still there${found.DeletedDate ? ', marked for deletion' : ''}, and its name is taken`,
            `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id ${SecretId}`,
          ),
        );
    }
    return findings;
  });

/** Accounts of partners outlive a stack; whether they can still be read depends on their key. */
const accounts = (needs: Needs) =>
  looking('left-overs', 'secretsmanager:ListSecrets and kms:DescribeKey', async () => {
    const findings: Finding[] = [];
    for (const prefix of needs.accountPrefixes) {
      const keys = new Map<string, number>();
      for await (const { SecretList = [] } of paginateListSecrets({ client: new SecretsManagerClient({}) }, { Filters: [{ Key: 'name', Values: [prefix] }] }))
        for (const { KmsKeyId = '' } of SecretList) keys.set(KmsKeyId, (keys.get(KmsKeyId) ?? 0) + 1);
      for (const [KeyId, count] of keys) findings.push(await account(prefix, count, KeyId));
    }
    return findings;
  });

async function account(prefix: string, count: number, KeyId: string): Promise<Finding> {
  const found =
    KeyId === ''
      ? undefined
      : await new KMSClient({}).send(new DescribeKeyCommand({ KeyId })).catch((error: Error) => {
          if (error.name === 'NotFoundException') return { KeyMetadata: { KeyState: 'gone' } };
          throw error;
        });
  const state = found?.KeyMetadata?.KeyState ?? 'Enabled';
  const many = `${count} account${count === 1 ? '' : 's'} of an earlier deployment below ${prefix}`;
  if (state === 'Enabled') return warning('left-overs', `${many}; they will serve again`, 'Look whether they should: ftps user list --prefix …');
  return problem(
    'left-overs',
    `${many} ${count === 1 ? 'is' : 'are'} encrypted with a key that is ${state}; nobody can log in with them`,
    `aws kms cancel-key-deletion --key-id ${KeyId} and enable-key, or delete the accounts and make them anew.`,
  );
}

const groups = (needs: Needs) =>
  looking('left-overs', 'autoscaling:DescribeAutoScalingGroups', async () => {
    if (needs.groups.length === 0) return [];
    const { AutoScalingGroups = [] } = await new AutoScalingClient({}).send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [...needs.groups] }));
    return AutoScalingGroups.map(({ AutoScalingGroupName }) =>
      problem(
        'left-overs',
        `the Auto Scaling group ${AutoScalingGroupName} is there, and its name is taken`,
        `aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name ${AutoScalingGroupName}`,
      ),
    );
  });

/** Resource policies of CloudWatch Logs in a region; the quota can't be raised (CloudWatch Logs user guide, "CloudWatch Logs quotas"). */
const LOG_POLICIES = 10;

const logPolicies = (needs: Needs) =>
  looking('log-policies', 'logs:DescribeResourcePolicies', async () => {
    if (needs.logResourcePolicies === 0) return [];
    const { resourcePolicies = [] } = await new CloudWatchLogsClient({}).send(new DescribeResourcePoliciesCommand({}));
    if (resourcePolicies.length + needs.logResourcePolicies <= LOG_POLICIES) return [];
    return [
      problem(
        'log-policies',
        `${resourcePolicies.length} of the ${LOG_POLICIES} resource policies that CloudWatch Logs allows in a region are there, and ${needs.logResourcePolicies} more ${needs.logResourcePolicies === 1 ? 'is' : 'are'} needed`,
        'Delete or join some: aws logs describe-resource-policies. This quota cannot be raised.',
      ),
    ];
  });
