/**
 * Accounts as AWS Transfer Family's custom identity provider keeps them in Secrets Manager (AWS Storage Blog, "Enable password
 * authentication for AWS Transfer Family using AWS Secrets Manager"), so that a service can move without touching its secrets.
 */
import { type PasswordAccount, passwordAccount } from '../config';

/** An account whose password is kept as it is. */
export interface PlainPasswordAccount extends PasswordAccount {
  readonly plainPassword?: string;
}

type Secret = Readonly<Record<string, unknown>>;

export function isTransferFamily(value: unknown): value is Secret {
  if (typeof value !== 'object' || value === null || 'passwordHash' in value) return false;
  return ['Password', 'FTPSPassword', 'Role', 'FTPSRole', 'HomeDirectory', 'HomeDirectoryDetails'].some((key) => key in value);
}

/** Throws an Error that names the key which can't be translated; what can't be kept is never dropped where it restricts. */
export function fromTransferFamily(user: string, secret: Secret): PlainPasswordAccount {
  // A key with the protocol before it goes before the plain one, as with that provider.
  const value = (key: string) => secret[`FTPS${key}`] ?? secret[key];
  if (value('Policy') !== undefined)
    throw new Error('Policy: session policies have no counterpart; say `permissions` and `home` in the form of the accounts file');
  const password = value('Password');
  if (typeof password === 'string' && /^\$2[abxy]\$/.test(password)) throw new Error('Password: is a bcrypt hash, which is not understood; set a new password');
  const networks = value('AcceptedIpNetwork') ?? value('AcceptedIpNetworkList');
  return {
    ...passwordAccount.parse({
      user,
      home: homeOf(user, value('HomeDirectory'), value('HomeDirectoryDetails')),
      allowedNetworks: typeof networks === 'string' ? networks.split(',').map((one) => one.trim()) : [],
    }),
    ...(typeof password === 'string' && password !== '' ? { plainPassword: password } : {}),
  };
}

/** Where `HomeDirectory` or `HomeDirectoryDetails` leads. The first folder there is the bucket or the file system, which is the storage root here. */
export function homeOf(user: string, directory: unknown, details: unknown): string {
  const path = details === undefined ? directory : targetOf(details);
  if (typeof path !== 'string' || !/^\/[^/]/.test(path))
    throw new Error('HomeDirectory: is missing; expected /bucket/folder, or HomeDirectoryDetails with one target');
  return `/${path
    .replaceAll(/\$\{transfer:username\}/gi, user)
    .split('/')
    .slice(2)
    .filter(Boolean)
    .join('/')}`;
}

function targetOf(details: unknown): unknown {
  let mappings: unknown = details;
  try {
    if (typeof details === 'string') mappings = JSON.parse(details);
  } catch {
    throw new Error('HomeDirectoryDetails: is no JSON');
  }
  const [mapping, ...more] = Array.isArray(mappings) ? (mappings as { Entry?: unknown; Target?: unknown }[]) : [];
  if (more.length > 0 || mapping?.Entry !== '/') throw new Error('HomeDirectoryDetails: only one entry, from "/" to a folder, has a counterpart here');
  return mapping.Target;
}
