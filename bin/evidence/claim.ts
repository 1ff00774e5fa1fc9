/** The kinds of claim a control makes, and how each is shown. What is shown names resources, settings, steps and tests. */
import type { ServerConfig } from '../../server/config';
import { flat, type Resource, type Subject } from './subject';

export interface Claim {
  /** What is claimed, in words. */
  readonly text: string;
  /** What shows it; empty where nothing does. */
  show(subject: Subject): readonly string[];
}

/** A resource, or every one of a kind, is as it should be. With `every`, one that is not takes the evidence away. */
export function resource(text: string, type: string, isRight: (properties: Resource['Properties'], one: Resource) => boolean, { every = false } = {}): Claim {
  return {
    text,
    show: ({ resources }) => {
      const all = [...resources].filter(([, { Type }]) => Type === type);
      const right = all.filter(([, one]) => isRight(one.Properties ?? {}, one));
      return every && right.length < all.length ? [] : right.map(([id]) => id);
    },
  };
}

/** The shipped settings of the server. */
export function setting(text: string, isRight: (server: ServerConfig) => boolean): Claim {
  return { text, show: ({ server }) => (isRight(server) ? ['settings of the server'] : []) };
}

/** A step of the image's build, by its name and what it has to hold. */
export function step(name: string, holds: RegExp): Claim {
  return {
    text: `image step ${name}`,
    show: ({ imageSteps }) => imageSteps.filter((one) => one.name === name && holds.test(one.text)).map((one) => `image step ${one.name}`),
  };
}

/** A test that passed; without a name, every test of the file. */
export function test(file: string, name: string): Claim {
  return {
    text: name === '' ? `every test of ${file}` : `test "${name}"`,
    show: ({ tests }) => {
      const found = tests.filter((one) => one.file === file && one.name.includes(name));
      return found.every(({ passed }) => passed) ? found.map((one) => `${one.file}: ${one.name}`) : [];
    },
  };
}

/** What tells one alarm from another. */
export interface AlarmMark {
  readonly threshold?: number;
  readonly reason?: string;
  readonly says?: RegExp;
}

/** An alarm on a metric of this name, which tells somebody. */
export function alarm(metric: string, mark: AlarmMark = {}): Claim {
  return {
    text: `alarm ${[metric, mark.reason, mark.threshold].filter((part) => part !== undefined).join(' ')}`,
    show: ({ resources }) =>
      [...resources].filter(([, { Type, Properties }]) => /::(Composite)?Alarm$/.test(Type) && isAlarm(Properties, metric, mark)).map(([id]) => id),
  };
}

function isAlarm(
  { MetricName, Metrics = [], Threshold, Dimensions = [], AlarmDescription = '', AlarmActions = [] }: Resource['Properties'],
  metric: string,
  mark: AlarmMark,
): boolean {
  // Of an alarm on an expression, the metrics that it is made of; a composite alarm has none.
  const names = MetricName === undefined ? Metrics.flatMap(({ MetricStat: stat }: Resource['Properties']) => stat?.Metric.MetricName ?? []) : [MetricName];
  const watched = names.length === 0 ? ['composite'] : names.map((name: unknown) => flat(name).split('-').at(-1));
  const reason = Dimensions.find(({ Name }: { Name: string }) => Name === 'Reason')?.Value;
  return (
    watched.includes(metric) &&
    AlarmActions.length > 0 &&
    (mark.threshold === undefined || Threshold === mark.threshold) &&
    (mark.reason === undefined || reason === mark.reason) &&
    (mark.says === undefined || mark.says.test(AlarmDescription))
  );
}

/** Anything else that can be read from the environment. */
export function shown(text: string, show: Claim['show']): Claim {
  return { text, show };
}
