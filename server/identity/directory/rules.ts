/** From what the directory says about a user to what the account may do. */
import { createHash } from 'node:crypto';
import type { DirectorySettings } from '../../config';
import { isFolderName } from '../folder-name';
import type { Account } from '../identity';
import type { DirectoryEntry } from './connection';
import { fill, placeholdersOf, plainDn } from './names';

type Rule = DirectorySettings['rules'][number];
type Certificate = Account['certificates'][number];

export interface DirectoryUser {
  readonly name: string;
  readonly entry: DirectoryEntry;
  /** As `plainDn` writes them. */
  readonly groups: ReadonlySet<string>;
}

/** Attributes that the rules look at, `text` and `binary`. */
export function attributesOf(rules: readonly Rule[]): { text: string[]; binary: string[] } {
  const named = rules.flatMap(({ attribute, account }) => [
    ...(attribute ? [attribute.name] : []),
    ...placeholdersOf(account.home),
    ...account.certificates.flatMap((certificate) =>
      certificate.kind === 'subject' ? placeholdersOf(certificate.commonName) : certificate.kind === 'san' ? placeholdersOf(certificate.value) : [],
    ),
  ]);
  const binary = rules.flatMap(({ account }) => account.certificates.flatMap((certificate) => (certificate.kind === 'attribute' ? [certificate.name] : [])));
  return { text: [...new Set(named)].filter((name) => name !== 'user'), binary: [...new Set(binary)] };
}

/** The account by the first rule that fits, or undefined where none does or its home can't be filled in. */
export function accountOf(rules: readonly Rule[], user: DirectoryUser): Account | undefined {
  const rule = rules.find((one) => fits(one, user));
  if (!rule) return undefined;
  const home = homeOf(rule.account.home, user);
  if (home === undefined) return undefined;
  return { ...rule.account, user: user.name, home, certificates: rule.account.certificates.flatMap((certificate) => certificatesOf(certificate, user)) };
}

function fits({ group, attribute }: Rule, { entry, groups }: DirectoryUser): boolean {
  if (group !== undefined && !groups.has(plainDn(group))) return false;
  return attribute === undefined || entry.text(attribute.name).some((value) => value.toLowerCase() === attribute.value.toLowerCase());
}

/** Each placeholder fills one folder name, so that no value of the directory leads anywhere else. */
function homeOf(template: string, user: DirectoryUser): string | undefined {
  const values: Record<string, string> = {};
  for (const name of placeholdersOf(template)) {
    const [value, ...more] = valuesOf(name, user);
    if (value === undefined || more.length > 0 || !isFolderName(value)) return undefined;
    values[name] = value;
  }
  return fill(template, values);
}

/** What a rule's certificate means for this user; a placeholder with several values gives several. */
function certificatesOf(certificate: Rule['account']['certificates'][number], user: DirectoryUser): Certificate[] {
  switch (certificate.kind) {
    case 'fingerprint':
      return [certificate];
    case 'subject':
      return filled(certificate.commonName, user).map((commonName) => ({ kind: 'subject', commonName }));
    case 'san':
      return filled(certificate.value, user).map((value) => ({ kind: 'san', value }));
    case 'attribute':
      return user.entry.bytes(certificate.name).map((der) => ({ kind: 'fingerprint', sha256: createHash('sha256').update(der).digest('hex') }));
  }
}

function filled(template: string, user: DirectoryUser): string[] {
  let choices: Record<string, string>[] = [{}];
  for (const name of placeholdersOf(template)) choices = choices.flatMap((choice) => valuesOf(name, user).map((value) => ({ ...choice, [name]: value })));
  return choices.map((choice) => fill(template, choice));
}

function valuesOf(name: string, { name: user, entry }: DirectoryUser): string[] {
  return name === 'user' ? [user] : entry.text(name).filter((value) => value !== '');
}
