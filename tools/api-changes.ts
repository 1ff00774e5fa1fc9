/** Whether the changes of the public API are told and counted: what breaks is named in CHANGELOG.md or docs/upgrading.md, and a release that breaks raises its version. */

export interface ApiChanges {
  /** What `jsii-diff --keys` said of the released API and this one. */
  readonly difference: string;
  /** Version of the released API. */
  readonly released: string;
  /** Version of the package. */
  readonly version: string;
  /** CHANGELOG.md. */
  readonly changes: string;
  /** docs/upgrading.md, whose newest section comes first as well. */
  readonly upgrading: string;
}

/** What is wrong, a line each. */
export function objectionsToApi({ difference, released, version, changes, upgrading }: ApiChanges): string[] {
  const broken = [...difference.matchAll(/^\w+ +- (.*) \[[\w-]+:[\w-]+\.([\w.]+)\]$/gm)].map(([, what, name]) => ({ what: what!, name: name! }));
  const [, newest = ''] = changes.split(/^## /m);
  const [, steps = ''] = upgrading.split(/^## /m);
  const told = newest + steps;
  const heading = newest.slice(0, newest.indexOf('\n'));
  const silent = broken.filter(({ name }) => !namesFor(name).some((one) => new RegExp(`\\b${one}\\b`).test(told)));
  const raised = heading === 'Unreleased' || broken.length === 0 || breaks(released, version);
  return [
    ...silent.map(({ what, name }) => `${name}: is named neither in the newest changes nor in what has to be changed (${what})`),
    ...(raised ? [] : [`${version} breaks what ${released} had, so its ${major(released) === 0 ? 'minor' : 'major'} version has to be raised`]),
  ];
}

/** A member by its own name or that of its type; props by those of what they are for. */
function namesFor(name: string): string[] {
  const [type, member] = name.split('.') as [string, string | undefined];
  return [type, type.replace(/(Props|Settings|Options)$/, ''), ...(member ? [member] : [])];
}

const major = (version: string) => Number(version.split('.')[0]);

/** Semantic Versioning, 4 and 8: before 1.0.0 a minor version may break. */
function breaks(before: string, after: string): boolean {
  const [old, fresh] = [before, after].map((version) => version.split('.').map(Number)) as [number[], number[]];
  return fresh[0]! > old[0]! || (old[0] === 0 && fresh[0] === 0 && fresh[1]! > old[1]!);
}
