/**
 * What the server is told: one schema, the single source of truth for ports, addresses, TLS, storage, accounts and limits.
 * The constructs fill this object in and derive security groups, listeners and alarms from the same object.
 */
import { z } from 'zod';
import type { accountRules, accountToken, passwordAccount } from './accounts';
import { afterReleaseSchema } from './after-release';
import { as2Schema } from './as2';
import { activeSchema, type dataTlsReuse, firewallSchema, listenerSchema, passiveSchema } from './ftps';
import { httpsSchema, issuerSchema, signInWithSchema } from './https';
import { identitySchema, passwordsSchema } from './identity';
import { limitsSchema } from './limits';
import { adminSchema, auditSchema, lifecycleSchema } from './operation';
import { sftpSchema } from './sftp';
import { antivirusSchema, storageSchema } from './storage';
import { tlsSchema } from './tls';

export const serverConfigSchema = z.strictObject({
  listeners: z.array(listenerSchema).min(1),
  sftp: sftpSchema.optional().describe('SFTP, for the same accounts and files, beside FTPS. Absent: it is off.'),
  https: httpsSchema
    .extend({
      issuers: z
        .array(issuerSchema)
        .default([])
        .describe('Who else may say who somebody is: issuers of OpenID Connect and OAuth 2.0, whose JSON Web Tokens are taken as `Authorization: Bearer`.'),
      signInWith: z.array(signInWithSchema).default([]).describe('Where people can sign in with their browser instead of with a password (OpenID Connect).'),
    })
    .optional()
    .describe('Files in a browser and by an API, for the same accounts and files, beside FTPS. Absent: it is off.'),
  as2: as2Schema
    .optional()
    .describe('AS2 (RFC 4130): signed, encrypted and receipted messages of partners, over the port of `https` or a port of its own. Absent: it is off.'),
  passive: passiveSchema.prefault({}),
  active: activeSchema.prefault({}),
  firewall: firewallSchema.prefault({}),
  workers: z
    .union(
      [z.literal('auto'), z.number().int().min(1, 'expected 1 process or more, or `auto` for one per vCPU').max(256)],
      'expected a number of processes, or `auto` for one per vCPU',
    )
    .default(1)
    .describe(
      'Processes that serve. `auto` is one per vCPU; each has a share of the passive ports, so there are never more than ports. 1 is a single process.',
    ),
  tls: tlsSchema,
  storage: storageSchema,
  antivirus: antivirusSchema
    .default({ kind: 'off' })
    .describe('Scans uploads as they stream in. An infected one is refused with 550 and kept in quarantine (`ftps quarantine`).'),
  identity: z.array(identitySchema).min(1).describe('Sources of accounts, asked in order; the first that knows the user decides.'),
  passwords: passwordsSchema.prefault({}).describe('How passwords are checked.'),
  afterRelease: afterReleaseSchema.prefault({}).describe('What happens after an upload became visible.'),
  limits: limitsSchema.prefault({}),
  audit: auditSchema.prefault({}),
  admin: adminSchema.prefault({}),
  lifecycle: lifecycleSchema.optional(),
  banner: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'expected one line')
    .default('FTPS ready')
    .describe('Text of the 220 reply.'),
});

/** What the person wrote: defaults may be left out. */
export type ServerConfigInput = z.input<typeof serverConfigSchema>;

/** What the server runs with: every default filled in. */
export type ServerConfig = z.output<typeof serverConfigSchema>;

export type ListenerConfig = ServerConfig['listeners'][number];

export type SftpConfig = NonNullable<ServerConfig['sftp']>;

export type HttpsConfig = NonNullable<ServerConfig['https']>;

export type LinksConfig = NonNullable<HttpsConfig['links']>;

export type As2Config = NonNullable<ServerConfig['as2']>;

export type As2Partner = As2Config['partners'][number];

export type AccountRules = z.output<typeof accountRules>;

export type DirectorySettingsInput = Extract<ServerConfigInput['identity'][number], { kind: 'directory' }>;

export type DirectorySettings = Extract<ServerConfig['identity'][number], { kind: 'directory' }>;

export type IssuerConfig = HttpsConfig['issuers'][number];

export type SignInWith = HttpsConfig['signInWith'][number];

export type AccountToken = z.output<typeof accountToken>;

export type PasswordAccount = z.output<typeof passwordAccount>;

export type DataTlsReuse = z.infer<typeof dataTlsReuse>;
