/** What is wrong with settings, and an Error that names all of it. */
import type { Problem } from '../../server/config';
import { isBlock, isOfKind, type Kind, written } from './kinds';

/**
 * Keys that are missing, unknown or of the wrong kind. `prefix`: what stands before a key, `server.` for example. `elsewhere`: where a key is given that
 * is none here, in words. What is no block is told where the key of it is looked at.
 */
export function problemsOf(
  prefix: string,
  settings: unknown,
  kinds: Readonly<Record<string, Kind>>,
  required: readonly string[],
  elsewhere: (key: string) => string | undefined = () => undefined,
): Problem[] {
  if (!isBlock(settings)) return [];
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const missing = required.filter((key) => !given.some(([name]) => name === key)).map((key) => ({ key: prefix + key, message: 'is missing' }));
  const wrong = given.flatMap(([key, value]) => {
    const kind = kinds[key];
    if (!kind) return [{ key: prefix + key, message: `is not a setting; ${elsewhere(key) ?? `there are ${Object.keys(kinds).join(', ')}`}` }];
    return isOfKind[kind](value) ? [] : [wrongKind(prefix + key, value, kind)];
  });
  return [...missing, ...wrong];
}

/** Where something is no block of settings. */
export function blockProblems(key: string, value: unknown): Problem[] {
  return isBlock(value) ? [] : [wrongKind(key, value, 'object')];
}

function wrongKind(key: string, value: unknown, kind: Kind): Problem {
  return { key, message: `${JSON.stringify(value)} is wrong; expected ${written[kind] ?? kind}` };
}

/** One problem, or none. */
export function ifSo(wrong: boolean, key: string, message: string): Problem[] {
  return wrong ? [{ key, message }] : [];
}

/** Throws an Error that names the environment and whatever is wrong with it, where something is. */
export function refuse(name: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new Error(`Environment "${name}": ${problems.map(({ key, message }) => `${key}: ${message}`).join('\n  ')}`);
}
