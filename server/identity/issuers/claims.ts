/** From what a token says to the account that it stands for. */
import { accountRules, type IssuerConfig } from '../../config';
import { isFolderName } from '../folder-name';
import type { Account } from '../identity';

type Rule = IssuerConfig['rules'][number];
export type Claims = Readonly<Record<string, unknown>>;

export interface Mapped {
  readonly user: string;
  readonly scopes: Rule['scopes'];
  readonly folder: string;
  /** Where the rule says what the account may do. */
  readonly account?: Account;
}

const PLACEHOLDER = /\{([^{}]+)\}/g;
/** As the names of accounts are. */
const NAME = /^[^\s\p{Cc}/\\]{1,128}$/u;
/** Claims that are one text with words in it (RFC 8693 section 4.2, and what others make of it). */
const OF_WORDS = ['scope', 'scp'];

/** By the first rule that fits; undefined where none does, or what it needs is not said in one way. */
export function mappedBy(rules: readonly Rule[], claims: Claims): Mapped | undefined {
  const rule = rules.find((one) => one.claims.every(({ name, value }) => valuesOf(claims, name).includes(value)));
  if (!rule) return undefined;
  const user = filled(rule.user, (name) => onlyValueOf(claims, name));
  if (user === undefined || !NAME.test(user)) return undefined;
  const { scopes, folder } = rule;
  if (!rule.account) return { user, scopes, folder };
  const home = filled(rule.account.home, (name) => {
    const value = name === 'user' ? user : onlyValueOf(claims, name);
    return value !== undefined && isFolderName(value) ? value : undefined;
  });
  return home === undefined ? undefined : { user, scopes, folder, account: { ...accountRules.parse({}), ...rule.account, user, home } };
}

/** Undefined where one of its placeholders has no value. */
function filled(template: string, of: (name: string) => string | undefined): string | undefined {
  let isWhole = true;
  const text = template.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = of(name);
    isWhole &&= value !== undefined;
    return value ?? '';
  });
  return isWhole ? text : undefined;
}

function onlyValueOf(claims: Claims, name: string): string | undefined {
  const [value, ...more] = valuesOf(claims, name);
  return more.length === 0 && value !== '' ? value : undefined;
}

function valuesOf(claims: Claims, name: string): string[] {
  const value = claimOf(claims, name);
  const all = Array.isArray(value) ? value : typeof value === 'string' && OF_WORDS.includes(name) ? value.split(' ') : [value];
  return all.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map(String);
}

/** A claim by its name, which may have dots in it, or within other ones. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}
