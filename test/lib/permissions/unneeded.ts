/** What roles are granted and no row of the table needs. */
import type { Deployment, Statement } from './deployment';

export interface Row {
  readonly role: string;
  readonly action: string;
  readonly on: string;
}

export interface AcceptedGrant {
  /** Path of the role. */
  readonly role: RegExp;
  readonly action: RegExp;
  readonly because: string;
}

/** As `role: action on resource`, of the roles of the templates and their own policies; what AWS wrote into its managed policies is AWS's. */
export function unneeded(deployment: Deployment, rows: readonly Row[], accepted: readonly AcceptedGrant[], within: RegExp): string[] {
  const roles = deployment.all('AWS::IAM::Role').filter(({ path }) => within.test(path));
  const found = roles.flatMap((role) => {
    const own = rows.filter((row) => row.role === role.arn);
    const statements = deployment.identityPolicies(role.arn).flatMap(({ name, policy }) => (name.startsWith('arn:aws:iam::aws:') ? [] : policy.Statement));
    return statements.flatMap((statement) =>
      grants(statement)
        .filter(([action, on]) => !own.some((row) => matches(action, row.action) && matches(on, row.on)))
        .filter(([action]) => !accepted.some((one) => one.role.test(role.path) && one.action.test(action)))
        .map(([action, on]) => `${role.path}: ${action} on ${on}`),
    );
  });
  return [...new Set(found)].sort();
}

/** Each action once for the resources that it can be about: S3 has actions on buckets and on objects, in one statement as CDK writes it. */
function grants({ Effect, Action, Resource = [] }: Statement): [string, string][] {
  if (Effect !== 'Allow') return [];
  const resources = [Resource].flat();
  return [Action].flat().flatMap((action) => resources.map((on): [string, string] => [action, on]));
}

const matches = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .replaceAll(/\$\{[^}]+\}/g, '*')
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  ).test(text);
