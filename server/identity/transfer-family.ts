/**
 * Accounts as AWS Transfer Family's custom identity provider keeps them in Secrets Manager (AWS Storage Blog, "Enable password
 * authentication for AWS Transfer Family using AWS Secrets Manager"), so that a service can move without touching its secrets.
 */
import { nearestName, type PasswordAccount, passwordAccount, publicKey } from '../config';

/** An account whose password is kept as it is. */
export interface PlainPasswordAccount extends PasswordAccount {
  readonly plainPassword?: string;
}

type Secret = Readonly<Record<string, unknown>>;

/** Every key of that form. Those that are not translated say nothing here: the instances have a role and files an owner. */
const KEYS = [
  'Password',
  'HomeDirectory',
  'HomeDirectoryDetails',
  'HomeDirectoryType',
  'AcceptedIpNetwork',
  'AcceptedIpNetworkList',
  'Policy',
  'Role',
  'PosixProfile',
  'PublicKey',
  'PublicKeys',
];
const PROTOCOLS = /^(FTPS|SFTP|FTP|AS2)(?=[A-Z])/;

export function isTransferFamily(value: unknown): value is Secret {
  if (typeof value !== 'object' || value === null || 'passwordHash' in value) return false;
  return ['Password', 'FTPSPassword', 'Role', 'FTPSRole', 'HomeDirectory', 'HomeDirectoryDetails'].some((key) => key in value);
}

/** Throws an Error that names the key which can't be translated; what can't be kept is never dropped where it restricts. */
export function fromTransferFamily(user: string, secret: Secret): PlainPasswordAccount {
  refuseUnknown(secret);
  // A key with the protocol before it goes before the plain one, as with that provider.
  const value = (key: string) => secret[`FTPS${key}`] ?? secret[key];
  if (value('Policy') !== undefined)
    throw new Error('Policy: session policies have no counterpart; say `permissions` and `home` in the form of the accounts file');
  const password = value('Password');
  if (typeof password === 'string' && /^\$2[abxy]\$/.test(password)) throw new Error('Password: is a bcrypt hash, which is not understood; set a new password');
  if (password !== undefined && typeof password !== 'string') throw new Error('Password: is no text');
  return {
    ...passwordAccount.parse({
      user,
      home: homeOf(user, value('HomeDirectory'), value('HomeDirectoryDetails')),
      allowedNetworks: networksOf(value('AcceptedIpNetwork') ?? value('AcceptedIpNetworkList')),
      publicKeys: keysOf(['SFTPPublicKeys', 'SFTPPublicKey', 'PublicKeys', 'PublicKey'].map((key) => secret[key]).find((one) => one !== undefined)),
    }),
    ...(typeof password === 'string' && password !== '' ? { plainPassword: password } : {}),
  };
}

function refuseUnknown(secret: Secret): void {
  for (const key of Object.keys(secret)) {
    if (KEYS.includes(key.replace(PROTOCOLS, ''))) continue;
    const near = nearestName(key, KEYS);
    throw new Error(
      `${key}: is no key of AWS Transfer Family's form${near ? `, which has ${near}` : ''}; write the account in the form of the accounts file, with passwordHash and home, where it can say more`,
    );
  }
}

/** A list with commas, as that provider has it, or one of JSON. Whatever else stands there would have restricted somebody. */
function networksOf(value: unknown): unknown {
  if (value === undefined) return [];
  if (typeof value === 'string') return value.split(',').map((one) => one.trim());
  if (!Array.isArray(value) || value.length === 0) throw new Error('AcceptedIpNetwork: expected networks in CIDR form, with commas between them');
  return value;
}

/** One key, several in lines or with commas, or a list. Those of a kind that is not taken let nobody in: they are passed over. */
function keysOf(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  const lines = (Array.isArray(value) ? value : [value]).flatMap((one) => (typeof one === 'string' ? one.split(/[\n,]/) : []));
  return lines.map((line) => line.trim()).filter((line) => publicKey.safeParse(line).success);
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
  const [mapping, ...more] = Array.isArray(mappings) ? (mappings as { Entry?: unknown; Target?: unknown; Type?: unknown }[]) : [];
  if (more.length > 0 || mapping?.Entry !== '/') throw new Error('HomeDirectoryDetails: only one entry, from "/" to a folder, has a counterpart here');
  const unknown = Object.keys(mapping).find((key) => !['Entry', 'Target', 'Type'].includes(key));
  if (unknown !== undefined) throw new Error(`HomeDirectoryDetails: ${unknown} has no counterpart here; an entry has Entry and Target`);
  if (mapping.Type !== undefined && mapping.Type !== 'DIRECTORY') throw new Error('HomeDirectoryDetails: Type: only DIRECTORY has a counterpart here');
  return mapping.Target;
}
