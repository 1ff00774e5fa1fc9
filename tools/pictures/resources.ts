/** The resources of an environment as its templates have them, over all its stacks, and who refers to whom. */
import type { App } from 'aws-cdk-lib';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is whatever was synthesized
  readonly Properties: any;
}

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface Environment {
  /** By logical id. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Logical ids that a resource names by Ref, GetAtt, Sub or an output of the other stack. */
  readonly references: ReadonlyMap<string, ReadonlySet<string>>;
}

/** One environment of an app. */
export function environmentOf(app: App, name: string): Environment {
  const assembly = app.synth().nestedAssemblies.find(({ displayName }) => displayName === name);
  if (!assembly) throw new Error(`the app has no environment ${name}`);
  const templates: Template[] = assembly.nestedAssembly.stacks.map(({ template }) => template);
  const told = new Map(templates.flatMap(({ Outputs = {} }) => Object.entries(Outputs).map(([id, { Value }]) => [id, [...namesIn(Value)]] as const)));
  const resources = new Map(templates.flatMap(({ Resources }) => Object.entries(Resources)));
  const references = new Map(
    [...resources].map(([id, one]) => [id, new Set([...namesIn(one)].flatMap((named) => told.get(named) ?? [named]).filter((named) => resources.has(named)))]),
  );
  return { resources, references };
}

/** Everything that a value of a template refers to: logical ids, of outputs too. */
function* namesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* namesIn(one);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      if ((key === 'Ref' || key === 'OutputName') && typeof inner === 'string') yield inner;
      else if (key === 'Fn::GetAtt') yield Array.isArray(inner) ? String(inner[0]) : String(inner).split('.')[0]!;
      else yield* namesIn(inner);
    }
}
