/** What the settings of the kit have no word for: settings of the server's own file, laid over what the constructs wrote. */
import { ConfigError, type Problem, type ServerConfigInput } from '../server/config';
import { protocols } from './protocols/all';

/** Some keys of the server's settings file, as docs/settings.md has them. */
export type ServerOverrides = Some<ServerConfigInput>;

type Some<T> = T extends readonly (infer One)[] ? readonly Some<One>[] : T extends object ? { readonly [Key in keyof T]?: Some<T[Key]> } : T;

/** What follows from something else, and what that is. Said here as well, it would be open in one place and closed in another. */
const DERIVED: readonly (readonly [key: string, from: string])[] = [
  ...protocols.flatMap(({ derived }) => derived),
  ['tls.policy', 'server.tlsPolicy, which the image follows as well'],
  ['tls.certificates', 'certificate and additionalCertificates'],
  ['tls.clientCa', 'clientTrust'],
  ['tls.clientCrl', 'clientTrust'],
  ['storage.kind', 'storage'],
  ['storage.root', 'storage'],
  ['storage.bucket', 'storage'],
  ['storage.prefix', 'storage'],
  ['storage.region', 'storage'],
  ['storage.kmsKeyId', 'storage'],
  ['storage.release', 'storage'],
  ['storage.quarantine', 'storage'],
  ['antivirus.kind', 'server.virusScan and storage'],
  ['antivirus.socket', 'the image'],
  ['antivirus.host', 'the image'],
  ['antivirus.port', 'the image'],
  ['antivirus.maxBytes', 'the scanner of the image'],
  ['antivirus.whenLarger', 'server.virusScan'],
  ['antivirus.whenUnavailable', 'server.virusScan'],
  ['afterRelease.eventBus', 'eventBus, or storage'],
  ['afterRelease.webhooks', 'webhooks'],
  ['afterRelease.storage', 'storage'],
  ['identity', 'accounts'],
  ['limits.lockout.table', 'sharedLockouts'],
  ['audit.destination', 'the agent that reads it'],
  ['admin.port', 'the check that tells the group whether an instance is well'],
  ['lifecycle', 'the group of the instances'],
];

type Listener = ServerConfigInput['listeners'][number];

/** Settings that have a prop, by which they were given. */
type Given = Readonly<Record<string, unknown>>;

/**
 * The settings with the overrides laid over: key by key, lists whole, listeners by their mode. Throws a ConfigError with every override that contradicts.
 * `given` names the props that were set, by the key that each stands for.
 */
export function withOverrides(settings: ServerConfigInput, overrides: unknown, given: Given): object {
  if (!isObject(overrides))
    throw new ConfigError([{ key: 'overrides', message: `${JSON.stringify(overrides)} is no block; write { limits: { stallSeconds: 120 } } for example` }]);
  const { listeners: listenerOverrides, ...others } = overrides as { listeners?: unknown };
  const listeners = overlaidListeners(settings.listeners, listenerOverrides ?? []);
  const problems = [...overrideProblems(others, given, settings), ...listeners.filter((one): one is Problem => 'message' in one)];
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...overlaid(settings, others), listeners };
}

function overrideProblems(overrides: object, given: Given, settings: ServerConfigInput): Problem[] {
  const keys = leavesOf(overrides);
  const within = (key: string, other: string) => key === other || key.startsWith(`${other}.`) || other.startsWith(`${key}.`);
  const off = protocols.flatMap(({ name, block }) => (block && settings[block.key] === undefined ? [{ name, ...block }] : []));
  return keys.flatMap((key) => {
    const door = off.find((one) => within(key, one.key));
    if (door) return [{ key: `overrides.${key}`, message: `is for ${door.name}, which is off; ${door.from} opens its port` }];
    // Instead of the block in which others follow from something.
    if (DERIVED.some(([other]) => other.startsWith(`${key}.`)))
      return [{ key: `overrides.${key}`, message: 'stands for a block; write { … } with single settings of it' }];
    const derived = DERIVED.find(([other]) => within(key, other));
    if (derived) return [{ key: `overrides.${key}`, message: `follows from ${derived[1]}; say it there` }];
    const twice = given[key];
    return twice === undefined ? [] : [{ key: `overrides.${key}`, message: `is said by server.${String(twice)} as well; leave one of them out` }];
  });
}

/** The listeners that there are, each with what is said of its mode. */
function overlaidListeners(listeners: readonly Listener[], overrides: unknown): Problem[] | Listener[] {
  const key = 'overrides.listeners';
  if (!Array.isArray(overrides)) return [{ key, message: "is no list; write [{ mode: 'implicit', maxTlsVersion: 'TLSv1.2' }] for example" }];
  const problems = overrides.flatMap((one: Partial<Listener>, index) => {
    if (!isObject(one)) return [{ key: `${key}[${index}]`, message: `${JSON.stringify(one)} is no block; write { mode: 'implicit', … }` }];
    const wrong = (name: string, message: string) => [{ key: `${key}[${index}].${name}`, message }];
    if (!listeners.some(({ mode }) => mode === one.mode))
      return wrong('mode', `"${one.mode}" is not served; there is ${listeners.map(({ mode }) => mode).join(' and ')}`);
    return one.port === undefined ? [] : wrong('port', `follows from server.${one.mode}Port; say it there`);
  });
  return problems.length > 0 ? problems : listeners.map((listener) => Object.assign({}, listener, ...overrides.filter(({ mode }) => mode === listener.mode)));
}

/** Key by key; lists are replaced whole. */
function overlaid(settings: object, overrides: object): object {
  const under = settings as Record<string, unknown>;
  const over = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return {
    ...settings,
    ...Object.fromEntries(over.map(([key, value]) => [key, isObject(under[key]) && isObject(value) ? overlaid(under[key], value) : value])),
  };
}

function leavesOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : isObject(inner) ? leavesOf(inner, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
