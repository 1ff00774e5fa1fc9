/** What kinds of value settings have: how one is known, and how it is written. */

/** As messages call it. */
export type Kind =
  | 'text'
  | 'list of texts'
  | 'list of objects'
  | 'number'
  | 'true or false'
  | 'object'
  | 'InstanceType'
  | 'Schedule'
  | 'Duration'
  | 'Size'
  | 'PassivePorts';

export const isOfKind: Record<Kind, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string' && value !== '',
  'list of texts': (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== ''),
  'list of objects': (value) => Array.isArray(value) && value.every((one) => isOfKind.object(one)),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  'true or false': (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  // By what they can do: an app may have another copy of aws-cdk-lib than the one here.
  InstanceType: has('isBurstable'),
  Schedule: has('expressionString'),
  Duration: has('toSeconds'),
  Size: has('toMebibytes'),
  PassivePorts: has('toPort'),
};

/** How a value of a kind is written, where its name does not say so. */
export const written: Partial<Record<Kind, string>> = {
  object: 'a block, { … }',
  'list of objects': 'a list of blocks, [{ … }]',
  InstanceType: "new InstanceType('c7g.large') of aws-cdk-lib/aws-ec2",
  Schedule: "Schedule.cron({ weekDay: 'SUN', hour: '3', minute: '0' }) of aws-cdk-lib/aws-events",
  Duration: 'Duration.days(365) or Duration.seconds(300) of aws-cdk-lib',
  Size: 'Size.mebibytes(64) of aws-cdk-lib',
  PassivePorts: 'PassivePorts.of(50000, 50015)',
};

export function isBlock(value: unknown): value is object {
  return isOfKind.object(value);
}

function has(member: string): (value: unknown) => boolean {
  return (value) => typeof value === 'object' && value !== null && member in value;
}
