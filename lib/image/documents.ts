/** Documents of Image Builder components: phases of steps. */

/** A step of an Image Builder component document (EC2 Image Builder user guide, "Use the AWSTOE component document framework"). */
export interface Step {
  readonly name: string;
  readonly action: 'ExecuteBash' | 'S3Download' | 'Reboot';
  readonly inputs?: unknown;
}

/** A document, as JSON. */
export function document(name: string, description: string, phases: Readonly<Partial<Record<'build' | 'validate' | 'test', readonly Step[]>>>): string {
  return JSON.stringify(
    { name, description, schemaVersion: 1, phases: Object.entries(phases).map(([phase, steps]) => ({ name: phase, steps })) },
    undefined,
    1,
  );
}

/** A step that runs shell lines and ends at the first that fails. */
export function bash(name: string, ...commands: string[]): Step {
  return { name, action: 'ExecuteBash', inputs: { commands: ['set -euo pipefail', ...commands] } };
}
