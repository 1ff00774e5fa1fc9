/** Accounts out of a file of another system: JSON or CSV, with passwords or their hashes. */
import { readFile } from 'node:fs/promises';
import type { WrittenAccount } from './account-store';
import { UsageError } from './exit';

/** An account whose password is still to be hashed. */
export type ImportedAccount = WrittenAccount & { readonly password?: string };

/** Reads either. Throws a UsageError that names the line and never quotes a value. */
export async function readImport(file: string): Promise<ImportedAccount[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file}: can't be read (${error.code})`);
  });
  return /^\s*[[{]/.test(text) ? fromJson(text, file) : fromCsv(text, file);
}

function fromJson(text: string, file: string): ImportedAccount[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new UsageError(`${file}: is no JSON`); // without the words of JSON.parse, which quote the text
  }
  const accounts = Array.isArray(content) ? content : (content as { accounts?: unknown }).accounts;
  if (!Array.isArray(accounts) || accounts.some((one) => typeof one !== 'object' || one === null || typeof one.user !== 'string'))
    throw new UsageError(`${file}: expected a list of accounts, or an accounts file; each with "user"`);
  const unknown = Array.isArray(content) ? undefined : Object.keys(content as object).find((key) => key !== 'accounts');
  if (unknown !== undefined)
    throw new UsageError(`${file}: ${unknown}: is no key of an accounts file; it has "accounts" alone, and what is to hold for an account stands in it`);
  return accounts;
}

const columns: Readonly<Record<string, (text: string) => object>> = {
  user: (user) => ({ user }),
  password: (password) => ({ password }),
  passwordHash: (passwordHash) => ({ passwordHash }),
  home: (home) => ({ home }),
  permissions: (text) => ({ permissions: text.split(/[\s;,]+/) }),
  allowedNetworks: (text) => ({ allowedNetworks: text.split(/[\s;,]+/) }),
  // What is neither is left as it was written, and refused where accounts are checked.
  enabled: (text) => ({ enabled: /^\s*(true|yes|1)\s*$/i.test(text) || (/^\s*(false|no|0)\s*$/i.test(text) ? false : text) }),
};

function fromCsv(text: string, file: string): ImportedAccount[] {
  const [header = [], ...rows] = csvRows(text);
  const unknown = header.find((name) => !Object.hasOwn(columns, name));
  if (unknown !== undefined && header.includes('user'))
    throw new UsageError(`${file}: ${JSON.stringify(unknown)} in its first line is no column; there are ${Object.keys(columns).join(', ')}`);
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${file}: its first line names ${twice} twice`);
  if (unknown !== undefined || !header.includes('user'))
    throw new UsageError(`${file}: its first line must name columns, "user" and any of ${Object.keys(columns).slice(1).join(', ')}`);
  return rows.map((row, index) => {
    if (row.length !== header.length) throw new UsageError(`${file}, row ${index + 2}: has ${row.length} fields where the first line names ${header.length}`);
    return Object.assign({}, ...header.map((name, column) => (row[column] === '' ? {} : columns[name]!(row[column]!)))) as ImportedAccount;
  });
}

/** RFC 4180: fields in quotes may hold commas, line ends and doubled quotes. */
export function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.replace(/^\uFEFF/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
    if (end === '') break;
  }
  return rows;
}
