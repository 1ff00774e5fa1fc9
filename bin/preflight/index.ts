/** Everything that is looked at before a deployment, with the caller's credentials and without changing anything. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Finding, ok, problem } from './finding';
import { nameFindings } from './names';
import { needsOf } from './needs';
import { quotaFindings } from './quotas';
import { bootstrapFindings, inspectorFindings, leftOverFindings, roleFindings, stackStanding } from './standing';

export type { Finding } from './finding';

export interface Preflight {
  readonly environment: string;
  /** What `cdk synth` wrote. */
  readonly assembly: string;
  /** Servers of the DNS that are asked instead of those of this machine. */
  readonly resolvers?: readonly string[];
  /** Told what is looked at next. */
  readonly onStep?: (step: string) => void;
}

export async function preflight({ environment, assembly, resolvers, onStep = () => {} }: Preflight): Promise<Finding[]> {
  const needs = needsOf(assembly, environment);
  if (needs.region) process.env['AWS_REGION'] = needs.region; // where it would be deployed, whatever the shell says
  onStep('who asks');
  const { Account, Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  const findings: Finding[] = [];
  if (needs.account !== undefined && needs.account !== Account)
    return [
      problem(
        'account',
        `the environment is for account ${needs.account}; these credentials are ${Arn}, of ${Account}`,
        'Sign in to the account of the environment (AWS_PROFILE).',
      ),
    ];
  findings.push(ok('account', `${Account}, as ${Arn}`));
  onStep('stacks');
  const { deployed, findings: stacks } = await stackStanding(needs);
  findings.push(...stacks);
  for (const [step, look] of [
    ['the bootstrap of the CDK', () => bootstrapFindings(needs)],
    ['quotas', () => quotaFindings(needs)],
    ['names', () => nameFindings(needs, { deployed: deployed.length === needs.stacks.length, resolvers })],
    ['service-linked roles', () => roleFindings(needs)],
    ['Inspector', () => inspectorFindings(needs, Account!)],
    ['what was left behind', () => leftOverFindings(needs, deployed)],
  ] as const) {
    onStep(step);
    findings.push(...(await look()));
  }
  return findings;
}
