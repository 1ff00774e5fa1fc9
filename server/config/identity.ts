/** Where accounts come from, and how their passwords are kept. */
import { z } from 'zod';
import { accountCertificate, accountRules } from './accounts';
import { count, file, seconds } from './values';

const fileIdentity = z.strictObject({ kind: z.literal('file'), file: file('JSON file with `accounts`; watched.') });

const secretsIdentity = z.strictObject({
  kind: z.literal('secrets'),
  prefix: z.string().min(1).describe('One secret per account, named prefix + user.'),
  cacheSeconds: seconds('How long an account found is remembered.').default(30),
  negativeCacheSeconds: seconds('How long an account not found is remembered.').default(10),
});

const attributeName = z.string().regex(/^[a-z][a-z0-9-]*(;[a-z0-9-]+)*$/i, 'expected the name of an attribute, for example departmentNumber');

/** The rules of an account, where `{user}` and `{attribute}` stand for what the directory says of the user. */
const directoryAccountRules = accountRules.omit({ publicKeys: true }).extend({
  home: accountRules.shape.home.describe(
    'Folder of the account below the storage root. `{user}` is the name of the account, `{attribute}` any attribute with one value; each fills one folder name.',
  ),
  certificates: z
    .array(
      z.discriminatedUnion('kind', [
        ...accountCertificate,
        z.strictObject({ kind: z.literal('attribute'), name: attributeName.describe('For example `userCertificate`, in OpenLDAP `userCertificate;binary`.') }),
      ]),
    )
    .default([])
    .describe(
      'Client certificates that stand for the account; any one is enough. `{user}` and `{attribute}` may be used; `attribute` takes the certificates that the directory keeps.',
    ),
});

const directoryRule = z.strictObject({
  group: z.string().min(1).optional().describe('Distinguished name of a group whose members this rule is for, nested ones included.'),
  attribute: z
    .strictObject({ name: attributeName, value: z.string() })
    .optional()
    .describe('An attribute that must have this value, upper and lower case alike.'),
  account: directoryAccountRules.prefault({}).describe('What the account may do and from where.'),
});

const directoryIdentity = z.strictObject({
  kind: z.literal('directory'),
  flavour: z
    .enum(['ldap', 'active-directory'])
    .default('ldap')
    .describe('`active-directory` has its own ways to say who is in a nested group, and that an account is disabled, expired or locked.'),
  servers: z
    .array(z.string().regex(/^ldaps?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/i, 'expected ldaps://host or ldap://host, with or without a port'))
    .min(1)
    .describe(
      'Asked in this order; the next one where one fails. `ldaps://` is TLS from the first byte, `ldap://` is upgraded by StartTLS (RFC 4511 section 4.14) before anything else is said. The certificate must cover the host.',
    ),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe("Authorities of the servers' certificates: a PEM file, read again when it changes, or the PEM text itself. Absent means the well-known ones."),
  bind: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('service'),
        dn: z.string().min(1).describe('Name of an account that may search users and groups and nothing more.'),
        passwordSecretId: z.string().min(1).optional().describe('Secrets Manager secret with `password`; read for every new connection.'),
        passwordFile: z.string().min(1).optional().describe('File whose first line is the password; read for every new connection.'),
      }),
      z.strictObject({
        kind: z.literal('direct'),
        name: z
          .string()
          .regex(/\{user\}/, 'expected a name with {user} in it')
          .describe('Name to bind with: `uid={user},ou=people,dc=example,dc=com`, or with Active Directory `{user}@example.com`.'),
      }),
    ])
    .describe(
      '`service` looks the user up and then binds as the user. `direct` needs no such account: it binds as the user at once, who must then be able to read the own entry.',
    ),
  realms: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of this directory that users may write before a backslash or behind an @, for example `CORP` and `corp.example.com`.'),
  users: z.strictObject({
    base: z.string().min(1).describe('Distinguished name below which users are.'),
    filter: z
      .string()
      .regex(/\{(user|login)\}/, 'expected a filter with {user} in it')
      .optional()
      .describe(
        'RFC 4515. `{login}` is what was typed, `{user}` the same without the realm. Absent: `(uid={user})`, or for Active Directory users by sAMAccountName and userPrincipalName.',
      ),
    nameAttribute: attributeName.optional().describe('The attribute that is the name of the account. Absent: uid, or for Active Directory sAMAccountName.'),
    keyAttribute: attributeName
      .optional()
      .describe(
        'The attribute with the public keys that users may log in with over SSH: `sshPublicKey`, in Active Directory `altSecurityIdentities`, where a value is a key as in a `.pub` file, also behind `SSHKey:`. Whoever may write it in an entry may log in as that user. Needs `bind.kind` `service`. Absent: keys are not looked for.',
      ),
  }),
  groups: z
    .strictObject({
      base: z.string().min(1).optional().describe('Distinguished name below which groups are. Absent: that of users.'),
      nested: z.boolean().default(true).describe('Whether members of a group within a group count.'),
    })
    .prefault({}),
  rules: z.array(directoryRule).min(1).describe('The first rule whose group and attribute fit decides; a user whom none fits is refused.'),
  connections: count('Connections kept to the directory, of each kind (searching, binding).').default(8),
  connectSeconds: seconds('How long a server may take until TLS is established.').default(3),
  answerSeconds: seconds('How long an answer may take.').default(5),
  failures: count('Failures in a row after which a server is left alone.').default(2),
  retrySeconds: seconds('How long a failing server is left alone; logins are answered at once meanwhile.').default(10),
  cacheSeconds: z
    .number()
    .min(0)
    .max(3_600)
    .default(0)
    .describe(
      'How long a good login is remembered, so that the same password is not asked about again; a disabled account goes on that long. Seconds; 0 remembers nothing.',
    ),
});

export const identitySchema = z.discriminatedUnion('kind', [fileIdentity, secretsIdentity, directoryIdentity]);

export const passwordsSchema = z.strictObject({
  rememberSeconds: z
    .number()
    .min(0)
    .max(86_400)
    .default(3_600)
    .describe(
      'How long a password that was right is known to be right without hashing it again, for accounts of files and of Secrets Manager. What is kept is a digest under a key that the process makes for itself, in memory alone; it holds only while the account is as it was, and its state and rules are looked up at every login. Seconds; 0 remembers nothing. Directories have `cacheSeconds`.',
    ),
  hashThreads: z
    .union([z.literal('auto'), z.number().int().min(1, 'expected 1 thread or more, or `auto`').max(64)], 'expected a number of threads, or `auto`')
    .default('auto')
    .describe(
      'Threads in which passwords are hashed, for all workers together and below transfers in priority. `auto` is one per vCPU, four at most. A login that could not be answered within half of `limits.loginSeconds` is refused with 421.',
    ),
});
