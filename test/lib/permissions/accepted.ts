/** Grants that no row needs and that stay, each with its reason. */
import type { AcceptedGrant } from './unneeded';

export const acceptedGrants: readonly AcceptedGrant[] = [
  {
    role: /^ftps-pipeline\/(Pipeline|ProbeNetwork|Custom::)/,
    action: /^(?!secretsmanager:|codeconnections:|codestar-connections:)/,
    because: 'CDK Pipelines and CDK write what their own projects, actions and custom resources need; the kit adds the connection and the secrets alone.',
  },
  {
    role: /Pipeline\/Source\/.*CodePipelineActionRole/,
    action: /^codestar-connections:UseConnection$/,
    because: 'Connections that were made under the old name of the service keep ARNs and permissions of that name.',
  },
  {
    role: /Fleet\/Role\/Resource$/,
    action: /^secretsmanager:DescribeSecret$/,
    because: 'Secret.grantRead of CDK gives both, of secrets that are there already (a directory, a webhook, an issuer); what it tells is its name and times.',
  },
];
