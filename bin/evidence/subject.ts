/** What is examined: one environment as it was synthesized, the settings it ships, and the results of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkServerConfig, type ServerConfig } from '../../server/config';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever was synthesized
  readonly Properties: any;
  readonly DeletionPolicy?: string;
}

/** A step of a component of the image. */
export interface ImageStep {
  /** Like `hardening/build/NoSsh`. */
  readonly name: string;
  readonly text: string;
}

export interface Subject {
  readonly environment: string;
  /** By stack and logical id, `ftps-prod/ServiceAlarmsMalwareCE3ABDAC`. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly protectedStacks: readonly string[];
  readonly server: ServerConfig;
  readonly imageSteps: readonly ImageStep[];
  readonly tests: readonly TestResult[];
}

/** One test as jest reports it. */
export interface TestResult {
  /** From the root of the repository. */
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
}

/** A stack of the assembly, as far as this reads it. */
export interface Synthesized {
  readonly name: string;
  readonly isProtected: boolean;
  readonly template: { readonly Resources: Readonly<Record<string, Resource>> };
}

/** The stacks of one environment. Throws an Error for a person where there is no such assembly. */
export function readAssembly(folder: string, environment: string): Synthesized[] {
  const assembly = join(folder, `assembly-${environment}`);
  const read = (file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8'));
  let manifest: { artifacts: Record<string, { type: string; properties: { templateFile: string; stackName?: string; terminationProtection?: boolean } }> };
  try {
    manifest = read('manifest.json');
  } catch {
    const there = safeList(folder).flatMap((name) => /^assembly-(.+)$/.exec(name)?.[1] ?? []);
    throw new Error(`${assembly} is no synthesized environment; run npx cdk synth${there.length > 0 ? `, or choose one of ${there.join(', ')}` : ''}`);
  }
  return Object.entries(manifest.artifacts)
    .filter(([, { type }]) => type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => ({
      name: properties.stackName ?? id,
      isProtected: properties.terminationProtection ?? false,
      template: read(properties.templateFile),
    }));
}

/** What jest wrote with `--json --outputFile`. Throws an Error for a person. */
export function readTests(file: string): TestResult[] {
  try {
    const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as {
      testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
    };
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({
        file: /test\/(?:lib|bin|server|system)\/.*$/.exec(name)?.[0] ?? name,
        name: fullName,
        passed: status === 'passed',
      })),
    );
  } catch (error) {
    throw new Error(`--tests ${file}: is no result of jest (${(error as Error).message}); write it with npm test -- --json --outputFile=${file}`);
  }
}

export function subjectOf(environment: string, stacks: readonly Synthesized[], tests: readonly TestResult[]): Subject {
  const resources = new Map(stacks.flatMap(({ name, template }) => Object.entries(template.Resources).map(([id, one]) => [`${name}/${id}`, one] as const)));
  return {
    environment,
    resources,
    protectedStacks: stacks.filter(({ isProtected }) => isProtected).map(({ name }) => name),
    server: shippedSettings(resources),
    imageSteps: [...resources.values()]
      .filter(({ Type }) => Type === 'AWS::ImageBuilder::Component')
      .flatMap(({ Properties }) => stepsOf(flat(Properties.Data))),
    tests,
  };
}

/** The settings that instances get, out of their start script. */
function shippedSettings(resources: Subject['resources']): ServerConfig {
  const launch = [...resources.values()].find(({ Type }) => Type === 'AWS::EC2::LaunchTemplate');
  const script = flat(launch?.Properties.LaunchTemplateData.UserData?.['Fn::Base64'] ?? '');
  const json = /cat > \/etc\/ftps\/server\.json <<'END_OF_FILE'\n(.*)\nEND_OF_FILE/.exec(script)?.[1];
  if (json === undefined) throw new Error('the environment ships no settings to its instances, so there is nothing to show');
  return checkServerConfig(JSON.parse(json));
}

function stepsOf(document: string): ImageStep[] {
  const { name, phases } = JSON.parse(document) as { name: string; phases: { name: string; steps: { name: string }[] }[] };
  return phases.flatMap((phase) => phase.steps.map((step) => ({ name: `${name}/${phase.name}/${step.name}`, text: JSON.stringify(step) })));
}

/** A value of a template as text; what is only known when it is deployed appears by its name. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const join = (value as Record<string, unknown> | undefined)?.['Fn::Join'] as [string, unknown[]] | undefined;
  if (join) return join[1].map(flat).join(join[0]);
  return `<${Object.values((value ?? {}) as object)
    .flat()
    .map((part) => (typeof part === 'object' ? flat(part) : String(part)))
    .join('.')}>`;
}

function safeList(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
