/** Whether AWS would let a request through, asked of an evaluator of IAM's policies, with all policies of the deployment. */
import { runSimulation, runUnsafeSimulation, type SimulationResourceResult } from '@cloud-copilot/iam-simulate';
import { ACCOUNT, type Deployment, managedPolicy, type NamedPolicy, REGION } from './deployment';

export type Context = Readonly<Record<string, string | string[]>>;

/** Who asks: a role of the deployment, a role that AWS makes for a service, or a service itself. */
export interface Principal {
  readonly name: string;
  /** ARN of the role, or the name of the service. */
  readonly id: string;
  readonly policies: readonly NamedPolicy[];
  /** What IAM knows of every request of this principal. */
  readonly context: Context;
}

export interface Answer {
  readonly allowed: boolean;
  /** Why not, in words. */
  readonly why: string;
}

export function roleOf(deployment: Deployment, path: string | RegExp): Principal {
  const { arn } = deployment.of('AWS::IAM::Role', path);
  return role(String(path), arn, deployment.identityPolicies(arn));
}

/** Made by AWS in the account: AWSServiceRoleForAutoScaling with the policy AutoScalingServiceRolePolicy. */
export function serviceLinkedRole(service: string, name: string, policy: string, account = ACCOUNT): Principal {
  return role(name, `arn:aws:iam::${account}:role/aws-service-role/${service}/${name}`, [{ name: policy, policy: managedPolicy(policy) }], account);
}

/** The service itself, on behalf of a resource of this account unless told otherwise. */
export function service(name: string, account = ACCOUNT): Principal {
  return { name, id: name, policies: [], context: { 'aws:SourceAccount': account, 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': name } };
}

function role(name: string, arn: string, policies: readonly NamedPolicy[], account = ACCOUNT): Principal {
  return { name, id: arn, policies, context: { 'aws:PrincipalArn': arn, 'aws:PrincipalAccount': account, 'aws:PrincipalIsAWSService': 'false' } };
}

/**
 * Actions whose resources the user guide names and the Service Authorization Reference does not yet (Systems Manager user guide, "Sample IAM
 * policies for Session Manager"). For these the evaluator does not check the request itself.
 */
const BEYOND_REFERENCE = ['ssmmessages:OpenDataChannel'];

/** Every request comes by TLS 1.2 or newer; buckets and queues refuse any other. */
const BY_TLS: Context = { 'aws:SecureTransport': 'true' };

export async function ask(deployment: Deployment, who: Principal, action: string, resource: string, context: Context = {}): Promise<Answer> {
  const [, , , region, owner] = resource.split(':');
  const accountId = /^\d{12}$/.test(owner ?? '') ? owner! : (deployment.ownerOf(resource) ?? accountOf(who));
  const contextVariables = {
    ...BY_TLS,
    ...(action.startsWith('s3:') ? { 's3:TlsVersion': '1.3' } : {}),
    ...(action.startsWith('kms:') && who.policies.length > 0 ? { 'kms:CallerAccount': accountOf(who) } : {}),
    'aws:RequestedRegion': region || REGION,
    ...who.context,
    ...context,
  };
  const simulation = {
    request: { principal: who.id, action, resource: { resource, accountId }, contextVariables },
    identityPolicies: who.policies.map(({ name, policy }) => ({ name, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: deployment.resourcePolicy(resource),
  };
  if (BEYOND_REFERENCE.includes(action)) {
    const result = runUnsafeSimulation(simulation, {});
    return { allowed: result === 'Allowed', why: result };
  }
  const answer = await runSimulation(spelled(simulation), {});
  if (answer.resultType === 'error') throw new Error(`${who.name}: ${action} on ${resource}: ${JSON.stringify(answer.errors)}`);
  const results: SimulationResourceResult[] = answer.resultType === 'single' ? [answer.result] : answer.results;
  const strange = results.flatMap(({ ignoredContextKeys = [] }) => ignoredContextKeys).filter((key) => key in context);
  if (strange.length > 0) throw new Error(`${action} knows no ${strange.join(', ')} (Service Authorization Reference)`);
  return {
    allowed: answer.overallResult === 'Allowed',
    why: results
      .map(
        ({ analysis }) =>
          `${analysis.result}: identity ${analysis.identityAnalysis?.result ?? 'none'}, resource ${analysis.resourceAnalysis?.result ?? 'none'}`,
      )
      .join('; '),
  };
}

function accountOf({ id, context }: Principal): string {
  return id.startsWith('arn:') ? id.split(':')[4]! : String(context['aws:SourceAccount'] ?? ACCOUNT);
}

/** The evaluator takes keys with names of one's own only behind a slash, so encryption contexts are handed to it, in policies and request alike, as tags. */
function spelled<T>(simulation: T): T {
  return JSON.parse(
    JSON.stringify(simulation).replaceAll(/kms:EncryptionContext:([\w:]+)/g, (_, name: string) => `aws:PrincipalTag/${name.replaceAll(':', '.')}`),
  );
}
