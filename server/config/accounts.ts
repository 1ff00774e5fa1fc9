/** What an account may do and how it proves who it is; the same shape for every source of accounts. */
import { z } from 'zod';
import { dataTlsReuse } from './ftps';
import { network } from './network';
import { publicKey } from './sftp';
import { bandwidth, bytes, count } from './values';

export const permission = z.enum(['read', 'write', 'list', 'delete', 'rename', 'mkdir']);

export type Permission = z.infer<typeof permission>;

export const scopes = z
  .array(z.enum(['read', 'write']))
  .min(1)
  .describe('`read`: downloads and lists. `write`: uploads, deletes, renames, makes folders. Of what the account may do, no more than this.');

export const folderOfAccount = z
  .string()
  .regex(/^\/([^/\p{Cc}]+(\/[^/\p{Cc}]+)*)?$/u, 'expected an absolute path without a slash at its end')
  .regex(/^(?!.*\/\.{1,2}(\/|$))/, 'expected a path without `.` and `..` as folders')
  .default('/')
  .describe('The folder that it reaches, as the account names it.');

export const accountCertificate = [
  z.strictObject({ kind: z.literal('fingerprint'), sha256: z.string().regex(/^([0-9a-f]{2}:?){32}$/i, 'expected 32 bytes in hexadecimal') }),
  z.strictObject({ kind: z.literal('subject'), commonName: z.string().min(1) }),
  z.strictObject({ kind: z.literal('san'), value: z.string().min(1).describe('For example `DNS:partner.example.com` or `email:ops@example.com`.') }),
] as const;

/** What an account may do and from where; the same shape for every source of accounts. */
export const accountRules = z.strictObject({
  home: z
    .string()
    .regex(/^\//, 'expected a path that starts with /')
    .regex(/^(?!.*\/\.{1,2}(\/|$))[^\p{Cc}]*$/u, 'expected a path without `.` and `..` as folders and without control characters')
    .default('/')
    .describe('Folder of this account below the storage root; the account sees it as `/`.'),
  permissions: z.array(permission).default(['read', 'write', 'list', 'delete', 'rename', 'mkdir']),
  overwrite: z
    .boolean()
    .default(true)
    .describe(
      'Whether the account may replace a file that is there, or add to it. With `false`, for drop boxes, STOR, APPE and RNTO onto an existing file answer 550; take away `delete` and `rename` too where what was sent must stay.',
    ),
  allowedNetworks: z.array(network).default([]).describe('Client networks this account may come from; empty means any.'),
  deniedNetworks: z.array(network).default([]).describe('Client networks this account may not come from, checked before `allowedNetworks`.'),
  admin: z.boolean().default(false).describe('Whether the account may see with SITE WHO who else is connected.'),
  clientCertificate: z
    .enum(['no', 'required', 'instead-of-password'])
    .default('no')
    .describe('`required`: password and certificate. `instead-of-password`: the certificate alone; PASS is not asked for.'),
  certificates: z
    .array(z.discriminatedUnion('kind', accountCertificate))
    .default([])
    .describe('Client certificates that stand for this account; any one is enough.'),
  dataTlsReuse: dataTlsReuse.optional(),
  requireCloseNotify: z
    .boolean()
    .default(true)
    .describe('Whether an upload must end with a TLS close_notify; false takes the word of clients that never send it.'),
  publicKeys: z
    .array(publicKey)
    .optional()
    .describe('Keys that the account may log in with over SSH, each as a line of `authorized_keys` or of a `.pub` file, without options.'),
  sshLogin: z
    .enum(['password-or-key', 'key', 'key-and-password'])
    .optional()
    .describe('What the account needs over SSH; absent means `password-or-key`. FTPS asks for the password in any case.'),
  sshCertificates: z
    .strictObject({
      principals: z
        .array(z.string().min(1))
        .optional()
        .describe('Any one of these must be among the principals of the certificate. Absent: the name of the account.'),
      authorities: z
        .array(publicKey)
        .optional()
        .describe(
          'Authorities whose certificates are taken for this account, in place of `sftp.userCertificates.authorities`, each as the line of its `.pub` file.',
        ),
    })
    .optional()
    .describe(
      'Which certificates of users (`ssh-keygen -s`) stand for the account over SSH. Absent: those of the authorities of the server that name the account.',
    ),
  maxSessions: z.number().int().positive().optional(),
  retentionDays: z
    .number()
    .positive()
    .optional()
    .describe(
      'Files whose time is older are deleted: from the first login of the account on, at every start and every hour, whether it logs in again or not; each is in the audit. Absent means never. Days.',
    ),
  quota: z.strictObject({ bytes: bytes('Most bytes in the home.').optional(), files: count('Most files in the home.').optional() }).optional(),
  bandwidth: bandwidth('of the account'),
  enabled: z.boolean().default(true),
});

/** A token of an account's: what a program sends over HTTPS instead of a password. */
export const accountToken = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{8}$/, 'expected eight letters and digits'),
  name: z.string().max(200).default('').describe('What it is for.'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal'),
  scopes,
  folder: folderOfAccount,
  key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{44}$/, 'expected a point of P-256, compressed, in base64url')
    .optional()
    .describe('Public half of the key that its secret is the source of: short-lived tokens are checked by it. Absent: none are made of it.'),
  networks: z.array(network).default([]).describe('Client networks that it may come from, beside those of the account; empty means no further limit.'),
  created: z.iso.datetime().optional(),
  expires: z.iso.datetime().optional().describe('When it is good no more. Absent: never.'),
});

/** What an authenticator app shows beside the password (RFC 6238). */
const totp = z.strictObject({
  secret: z
    .string()
    .regex(/^[A-Z2-7]{32,128}$/, 'expected base32, as `ftps user totp add` makes it')
    .describe('What app and server share, in base32. It is as good as the app: kept where password hashes are, and shown to nobody.'),
  without: z
    .array(z.enum(['ftps', 'ssh']))
    .default([])
    .describe(
      'Protocols over which the password alone is enough, for clients that connect by themselves. Over the others the code stands behind the password where nobody asks for it.',
    ),
});

/** One account with a password, as a line of the accounts file or the value of a Secrets Manager secret. */
export const passwordAccount = accountRules.extend({
  user: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^\s\p{Cc}/\\]+$/u, 'expected a name without blanks, slashes or control characters'),
  passwordHash: z
    .string()
    .regex(/^\$(scrypt|pbkdf2-sha256)\$/, 'expected a PHC string, as `ftps user hash` prints it')
    .optional()
    .describe(
      'PHC string: scrypt, or PBKDF2-HMAC-SHA-256 under FIPS. Absent only for `instead-of-password`, and where `publicKeys`, `sshCertificates` or `tokens` are there.',
    ),
  totp: totp.optional().describe('A code of an authenticator app is asked for wherever the password is, as `ftps user totp add` sets it up.'),
  tokens: z.array(accountToken).optional().describe('Tokens by which programs come in over HTTPS, as `ftps token create` makes them.'),
});
