/**
 * Who may use a key. The policy of a key of this app is written here; what a key of somebody else's needs is collected, and stands in the
 * metadata of the template, from where `ftps key-policy` prints it for whoever looks after that key.
 */
import { Lazy, Stack } from 'aws-cdk-lib';
import { AccountPrincipal, AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import { flat } from '../compliance/acknowledge';
import { KEY_POLICY } from './key-policy-metadata';

/** Services through which roles of the account use keys. */
export type KeyService = 'dynamodb' | 'ec2' | 'elasticfilesystem' | 'firehose' | 's3' | 'secretsmanager' | 'sqs';

/** Those that go on using the key when nobody asks, by grants that they make (AWS KMS developer guide, "Grants in AWS KMS"). */
const MAKE_GRANTS: readonly KeyService[] = ['dynamodb', 'ec2', 'elasticfilesystem', 'firehose'];

/** What roles do with a key through a service: `ReEncrypt` where an image or a volume moves from one key to another. */
const USE = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'DescribeKey'].map(
  (action) => `kms:${action}`,
);

interface Needs {
  readonly services: Set<KeyService>;
  readonly statements: PolicyStatement[];
}

const needs = new WeakMap<Stack, Map<string, Needs>>();

/** A statement of the key's policy, for principals that have no policies of their own in this app: services, service-linked roles, other accounts. `sid` names it in a policy of somebody else's. */
export function letUse(scope: IConstruct, key: IKey, sid: string, statement: PolicyStatement): void {
  if (!key.addToResourcePolicy(statement, true).statementAdded) needsOf(scope, key).statements.push(statement.copy({ sid }));
}

/**
 * Roles of this account use the key through this service, as far as their own policies let them. The policy of a key that is made here says
 * so as CDK writes it (account and IAM decide); another key's has to.
 */
export function letRolesUse(scope: IConstruct, key: IKey, ...services: KeyService[]): void {
  if (!(key instanceof Key)) for (const service of services) needsOf(scope, key).services.add(service);
}

/** The same for accounts whose roles use the key by themselves. */
export function letAccountsUse(scope: IConstruct, key: IKey, sid: string, accounts: readonly string[]): void {
  if (key instanceof Key) return;
  const principals = [...new Set(accounts)].map((account) => new AccountPrincipal(account));
  needsOf(scope, key).statements.push(new PolicyStatement({ sid, principals, actions: USE, resources: ['*'] })); // in a key policy this means the key itself
}

function needsOf(scope: IConstruct, key: IKey): Needs {
  const stack = Stack.of(scope);
  let ofStack = needs.get(stack);
  if (!ofStack) {
    ofStack = new Map();
    needs.set(stack, ofStack);
    stack.addMetadata(KEY_POLICY, Lazy.any({ produce: () => rendered(stack) }));
  }
  const found = ofStack.get(key.keyArn) ?? { services: new Set(), statements: [] };
  ofStack.set(key.keyArn, found);
  return found;
}

function rendered(stack: Stack): object {
  const policies = [...needs.get(stack)!].map(([arn, { services, statements }]) => {
    const document = new PolicyDocument({ statements: [...ofRoles(stack, [...services].sort()), ...statements] });
    return [asText(stack.resolve(arn)), asText(stack.resolve(document).Statement)];
  });
  return Object.fromEntries(policies);
}

/** AWS KMS developer guide, "Allows access to the AWS account and enables IAM policies" and "kms:ViaService". */
function ofRoles(stack: Stack, services: readonly KeyService[]): PolicyStatement[] {
  const statement = (sid: string, actions: string[], through: readonly KeyService[], more: object = {}) =>
    through.length === 0
      ? []
      : [
          new PolicyStatement({
            sid,
            principals: [new AccountRootPrincipal()],
            actions,
            resources: ['*'], // in a key policy this means the key itself
            conditions: { StringEquals: { 'kms:ViaService': through.map((service) => `${service}.${stack.region}.${stack.urlSuffix}`) }, ...more },
          }),
        ];
  return [
    ...statement('FtpsRolesThroughServices', USE, services),
    ...statement(
      'FtpsGrantsOfServices',
      ['kms:CreateGrant'],
      services.filter((service) => MAKE_GRANTS.includes(service)),
      { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    ),
  ];
}

/** References as `<AWS::Region>`, which nobody resolves in the metadata of a template. With `${…}` cfn-lint takes them for forgotten ones. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::\w+)$/.test(keys[0]!)) return flat(value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asText(one)]));
}
