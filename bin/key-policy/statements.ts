/** What the policies of other people's keys have to say, read from the templates of a synthesized app. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_POLICY } from '../../lib/encryption/key-policy-metadata';

export interface Statement {
  readonly Sid?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  readonly [element: string]: unknown;
}

export interface NeededPolicy {
  readonly key: string;
  /** Accounts of the stacks that use the key. */
  readonly accounts: readonly string[];
  readonly statements: readonly Statement[];
}

/** Where a stack is deployed to, where the app does not say. */
export interface Place {
  readonly account?: string;
  readonly region?: string;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly properties: { readonly templateFile?: string; readonly directoryName?: string };
}

/** One policy for each key that stacks of this assembly use and do not own. Throws an Error for a person where there is no assembly. */
export function neededPolicies(folder: string, given: Place): NeededPolicy[] {
  const found = new Map<string, { accounts: Set<string>; statements: Statement[] }>();
  for (const { policies, account } of stacksOf(folder, given))
    for (const [key, statements] of Object.entries(policies)) {
      const one = found.get(key) ?? { accounts: new Set(), statements: [] };
      one.accounts.add(account);
      one.statements.push(...statements);
      found.set(key, one);
    }
  return [...found].map(([key, { accounts, statements }]) => ({ key, accounts: [...accounts], statements: together(statements) }));
}

function stacksOf(folder: string, given: Place): { policies: Record<string, Statement[]>; account: string }[] {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  let artifacts: Artifact[];
  try {
    artifacts = Object.values((JSON.parse(read('manifest.json')) as { artifacts: Record<string, Artifact> }).artifacts);
  } catch {
    throw new Error(`${folder} is no synthesized app; run npx cdk synth, or name its folder`);
  }
  return artifacts.flatMap(({ type, environment = '', properties }) => {
    if (type === 'cdk:cloud-assembly') return stacksOf(join(folder, properties.directoryName!), given);
    if (type !== 'aws:cloudformation:stack') return [];
    const policies = JSON.parse(read(properties.templateFile!)).Metadata?.[KEY_POLICY] as object | undefined;
    if (!policies) return [];
    const place = placeOf(environment, given);
    return [{ policies: JSON.parse(filledIn(JSON.stringify(policies), place)), account: place.account }];
  });
}

/** `aws://111122223333/eu-central-1`, or `aws://unknown-account/unknown-region`. */
function placeOf(environment: string, given: Place): Required<Place> {
  const [, account = '', region = ''] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment) ?? [];
  const known = (value: string, flag: keyof Place) => {
    const said = value === '' || value.startsWith('unknown-') ? given[flag] : value;
    if (said === undefined) throw new Error(`--${flag}: is missing; the app does not say where its stacks are deployed to`);
    return said;
  };
  return { account: known(account, 'account'), region: known(region, 'region') };
}

function filledIn(text: string, { account, region }: Required<Place>): string {
  const china = region.startsWith('cn-');
  const values: Record<string, string> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': china ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
    'AWS::URLSuffix': china ? 'amazonaws.com.cn' : 'amazonaws.com',
  };
  return text.replaceAll(/<(AWS::\w+)>/g, (whole, name: string) => values[name] ?? whole);
}

/** Stacks of one account say the same, but for the services that each uses: those come together. */
function together(statements: readonly Statement[]): Statement[] {
  const bySid = new Map<string, Statement[]>();
  for (const statement of statements) {
    const alike = bySid.get(statement.Sid ?? '') ?? [];
    const same = alike.findIndex((one) => withoutServices(one) === withoutServices(statement));
    if (same < 0) alike.push(statement);
    else alike[same] = withServices(statement, [...servicesOf(alike[same]!), ...servicesOf(statement)]);
    bySid.set(statement.Sid ?? '', alike);
  }
  // A Sid names one statement of a policy: the second account's gets a number.
  return [...bySid.values()].flatMap((alike) => alike.map((one, index) => (index === 0 ? one : { ...one, Sid: `${one.Sid}${index + 1}` })));
}

const servicesOf = ({ Condition }: Statement): string[] => [Condition?.['StringEquals']?.['kms:ViaService'] ?? []].flat() as string[];

function withServices(statement: Statement, services: readonly string[]): Statement {
  if (services.length === 0) return statement;
  const { StringEquals, ...others } = statement.Condition!;
  return { ...statement, Condition: { ...others, StringEquals: { ...StringEquals, 'kms:ViaService': [...new Set(services)].sort() } } };
}

const withoutServices = (statement: Statement) =>
  JSON.stringify(servicesOf(statement).length === 0 ? statement : withServices(statement, [regionOf(servicesOf(statement)[0]!)]));
const regionOf = (service: string) => service.split('.').slice(1).join('.');
