/**
 * What the server is told: one schema, the single source of truth for ports, addresses, TLS, storage, accounts and limits.
 * The constructs fill this object in and derive security groups, listeners and alarms from the same object.
 */
import { z } from 'zod';
import { as2Schema } from './as2';
import { certificateFiles, certificateSecret } from './key-source';
import { network } from './network';
import { portRange } from './port-range';

const seconds = (text: string) => z.number().positive().max(86_400).describe(`${text} Seconds.`);
/** Of what outlasts a day. */
/** A year. Seconds. */
export const LONGEST_TIME = 31_536_000;
/** Uses of one link. */
export const MOST_USES = 1_000;
const longTime = (text: string) => z.number().positive().max(LONGEST_TIME).describe(`${text} Seconds.`);
const count = (text: string) => z.number().int().positive().describe(text);
const bytes = (text: string) => z.number().int().positive().describe(`${text} Bytes.`);
const file = (text: string) => z.string().min(1).describe(text);
const port = (text: string) => z.number().int().min(0).max(65_535).describe(`${text} 0 means any free port, for tests and laptops.`);

export const dataTlsReuse = z
  .enum(['required', 'preferred', 'off'])
  .describe(
    'Whether a data connection must resume a TLS session of its control connection (RFC 4217 section 7). `required`: it must, or bring the client certificate of the control connection. `preferred`: it must as soon as the client has shown in this session that it can; before that, and from clients that can not, a connection is held until its own must be there as well, and taken only from the same address, with the same TLS software, where nobody else came or waits on the port; the audit says so. `off`: the first from the same address is taken.',
  );

/** Folder of the uploads themselves, below the prefix of a quarantine in S3; a scanner reads this one alone. */
export const QUARANTINED_FILES = 'held/';

export const permission = z.enum(['read', 'write', 'list', 'delete', 'rename', 'mkdir']);
export type Permission = z.infer<typeof permission>;

/** Of every port that clients connect to. */
const whoMayConnect = {
  allow: z.array(network).default([]).describe('Client networks that may connect; empty means every network that the security group lets in.'),
  deny: z.array(network).default([]).describe('Client networks that are refused, checked before `allow`.'),
  proxyProtocolFrom: z
    .array(network)
    .default([])
    .describe('Load balancers that put a PROXY protocol v2 header before the first byte. From these networks it is required, from all others it is not read.'),
};

const advertisedAddress = z
  .union([
    z.ipv4(),
    z.literal('auto'),
    z.literal('local'),
    z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i, 'expected an IPv4 address, a host name, `auto` or `local`'),
  ])
  .describe(
    'The address that PASV replies with (RFC 959). `local` is the address the client reached, `auto` the public IPv4 of the EC2 instance (IMDSv2), a host name is resolved and cached.',
  );

export const listenerSchema = z.strictObject({
  mode: z
    .enum(['explicit', 'implicit'])
    .describe('`explicit` starts in plain text and upgrades by AUTH TLS (RFC 4217); `implicit` speaks TLS from the first byte.'),
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The control port.'),
  advertisedAddress: advertisedAddress.default('local'),
  advertisedAddressFor: z
    .array(z.strictObject({ network, address: advertisedAddress }))
    .default([])
    .describe('Exceptions by client network, first match wins: clients inside a VPN are told the inner address.'),
  clientCertificates: z.enum(['off', 'optional', 'required']).default('off').describe('Whether clients present a certificate on this listener.'),
  dataTlsReuse: dataTlsReuse.optional(),
  maxTlsVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .default('TLSv1.3')
    .describe(
      'The newest TLS version on this listener and its data connections. Some clients (curl, Java) resume a TLS 1.3 session only once and lose it in a small upload; with `TLSv1.2` they resume every time, as `dataTlsReuse: required` needs.',
    ),
  ...whoMayConnect,
});

/** A public key of a user. */
export const publicKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) AAAA[A-Za-z0-9+/]+={0,2}( [^\p{Cc}]*)?$/u,
    'expected a line as `ssh-keygen` writes it into a .pub file: ssh-ed25519 AAAA… name',
  );

/** What lets nobody in any more: a key, or certificates by number or name. */
export const revocation = z
  .string()
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}|serial:\d{1,20}(-\d{1,20})?|id:[^\p{Cc}]+)$/u,
    'expected SHA256:… as `ssh-keygen -l` prints it, serial:7, serial:7-12, or id: and the name that the authority gave the certificate',
  );

const hostKeyFile = z.strictObject({
  kind: z.literal('file'),
  file: file(
    'Private key as `ssh-keygen` or OpenSSL writes it, without a passphrase: Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits or more; or several, one behind the other. Watched.',
  ),
});
const hostKeySecret = z.strictObject({
  kind: z.literal('secret'),
  secretId: z.string().min(1).describe('Secrets Manager secret with `privateKey`, or `privateKeys`, a list, in the same forms.'),
  pollSeconds: seconds('How often the secret is looked at, plus or minus a tenth.').default(60),
});

export const sftpSchema = z.strictObject({
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The port of SFTP: 22 by custom, 2022 beside another SSH daemon.'),
  hostKeys: z
    .array(z.discriminatedUnion('kind', [hostKeyFile, hostKeySecret]))
    .min(1)
    .describe(
      'Keys by which clients know the server. Of several of one type the first is used; clients are told of the others after the login (`hostkeys-00@openssh.com`), so that they know them before they are used. Every instance has the same ones. Which algorithms are taken follows from `tls.policy`: with `fips`, neither Ed25519 nor X25519.',
    ),
  ...whoMayConnect,
  userCertificates: z
    .strictObject({
      authorities: z
        .array(publicKey)
        .default([])
        .describe(
          'Authorities whose certificates of users (`ssh-keygen -s`) are taken for every account that does not name its own, each as the line of its `.pub` file. The certificate must name the account among its principals.',
        ),
      revoked: z
        .array(revocation)
        .default([])
        .describe(
          'What lets nobody in any more: `SHA256:…` a key of a user or of an authority, `serial:7` or `serial:7-12` certificates by number, `id:NAME` by the name that the authority gave them.',
        ),
      revocationList: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The same in a file: a list as `ssh-keygen -k` makes it (KRL), or lines, each a public key or as in `revoked`. A file, which is watched, or `s3://bucket/key`, which is asked for in turns. One that can not be read when the server starts keeps it from starting; later, the last good one stays.',
        ),
      pollSeconds: seconds('How often a `revocationList` in S3 is looked at, plus or minus a tenth.').default(300),
    })
    .prefault({})
    .describe('Certificates of users, beside the keys that accounts have.'),
  tries: z
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe(
      'Requests to log in after which a connection is closed, offered keys included: an agent offers each that it has. Of passwords that are wrong `limits.loginAttempts` are enough.',
    ),
  handshakeSeconds: seconds('A connection that has agreed on no keys by then is dropped.').default(10),
  scp: z
    .boolean()
    .default(false)
    .describe(
      'Whether the old protocol of scp is spoken as well (`scp -O`, WinSCP in SCP mode). The scp of OpenSSH 9 and later uses SFTP and needs none of it.',
    ),
  attributes: z
    .enum(['ignore', 'refuse'])
    .default('ignore')
    .describe(
      'What a client is told that wants to set permissions or owners, which are not kept: that it is done, as most clients need it, or that it is not.',
    ),
});

const scopes = z
  .array(z.enum(['read', 'write']))
  .min(1)
  .describe('`read`: downloads and lists. `write`: uploads, deletes, renames, makes folders. Of what the account may do, no more than this.');

const folderOfAccount = z
  .string()
  .regex(/^\/([^/\p{Cc}]+(\/[^/\p{Cc}]+)*)?$/u, 'expected an absolute path without a slash at its end')
  .regex(/^(?!.*\/\.{1,2}(\/|$))/, 'expected a path without `.` and `..` as folders')
  .default('/')
  .describe('The folder that it reaches, as the account names it.');

export const httpsSchema = z.strictObject({
  host: z.string().default('::').describe('The address to listen on; `::` is every IPv4 and IPv6 address.'),
  port: port('The port of HTTPS: 443 by custom.'),
  clientCertificates: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe('Whether clients present a certificate; browsers ask their user for one.'),
  ...whoMayConnect,
  headSeconds: seconds('A request whose head or small body has not come by then ends its connection.').default(10),
  keepAliveSeconds: seconds('A connection without a request is closed after that long.').default(60),
  requestsPerMinute: count(
    'Requests in a minute of one account; more are answered 429. What is left stands in `RateLimit` of every answer. All workers of an instance count together.',
  ).default(6_000),
  uploadIdleSeconds: seconds('An upload that was begun to go on after a lost connection is given up when nobody does for that long.').default(3_600),
  signInIdleSeconds: seconds('Who signed in with a password and asks for nothing that long signs in again.').default(3_600),
  signInSeconds: seconds('Who signed in with a password signs in again after that long in any case.').default(43_200),
  links: z
    .strictObject({
      defaultSeconds: longTime('How long a link is good where whoever makes it does not say.').default(604_800),
      maxSeconds: longTime('How long one is good at most.').default(2_592_000),
      mostUses: z
        .number()
        .int()
        .min(1)
        .max(MOST_USES)
        .default(100)
        .describe('How often one may be used at most: downloads that were begun, files that were uploaded.'),
      perAccount: count('Links that an account may have at once.').default(100),
    })
    .optional()
    .describe(
      'Links by which somebody without an account downloads one file, or uploads into one folder and sees nothing of it. An account makes them of what it may do itself, and they end when it is changed or its right is taken away. They are kept in the storage, so that every instance knows them. Absent: none are made, and those that were are good for nothing.',
    ),
  signInTable: z
    .string()
    .min(3)
    .optional()
    .describe(
      'DynamoDB table in which all instances share sign-ins, so that the next connection of a browser may come to another one: partition key `key` (text), TTL attribute `expires`; that of `limits.lockout.table` will do. Absent, or while it can not be reached: each instance has its own.',
    ),
});

export const tlsSchema = z.strictObject({
  policy: z
    .enum(['modern', 'fips'])
    .default('modern')
    .describe('`modern`: TLS 1.2 and 1.3, ECDHE, AEAD. `fips`: the same within FIPS 140-3; the server refuses to run unless the OpenSSL provider behaves so.'),
  certificates: z
    .array(z.discriminatedUnion('kind', [certificateFiles, certificateSecret]))
    .min(1)
    .describe('Served side by side: RSA and ECDSA of one name, or several names chosen by SNI. The first is the default.'),
  clientCa: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM bundle of the authorities whose client certificates are taken: a file, which is watched, or `s3://bucket/key`, which is asked for in turns.',
    ),
  clientCrl: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM revocation lists of those authorities, one for each: a file, which is watched, or `s3://bucket/key`, which is asked for in turns. A certificate whose authority has no list there, or one that is out of date, is refused.',
    ),
  clientPollSeconds: seconds('How often `clientCa` and `clientCrl` are looked at in S3, plus or minus a tenth.').default(300),
  ocspStapling: z
    .boolean()
    .default(true)
    .describe('Whether the authority is asked in the background if a certificate still stands, where it says how, and the answer stapled (RFC 6066).'),
  dataTlsReuse: dataTlsReuse.default('preferred'),
  handshakeSeconds: seconds('A handshake that takes longer is dropped.').default(10),
});

export const passiveSchema = z.strictObject({
  ports: portRange
    .default('50000-50015')
    .describe(
      'The passive range, low-high, opened once and shared by all sessions; `any:N` takes N free ports, for tests and laptops. `8192-8200` is what AWS Transfer Family uses.',
    ),
  connectSeconds: seconds('How long a port waits for the client after PASV or EPSV and after the transfer command.').default(30),
});

export const activeSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Whether PORT and EPRT are taken. The server only ever connects to the address of the control connection, ports 1024 and up.'),
  sourcePorts: portRange.optional().describe('Source ports of active data connections, for example `20-20`; absent means any.'),
  connectSeconds: seconds('How long to wait for the client to accept.').default(10),
});

export const firewallSchema = z.strictObject({
  mode: z
    .enum(['off', 'nftables'])
    .default('off')
    .describe(
      '`nftables`: passive ports are closed in the kernel, and one is opened to one client address when its session asks, until the connection is there. Needs the process `ftps firewall`; without it nobody is let through. `off`: they are open to every network that the security group lets in, and strangers are dropped after they connect.',
    ),
  socket: file('Unix socket of `ftps firewall`.').default('/run/ftps-firewall/socket'),
});

/** The least that keeps a transfer from looking dead to its client. Bytes per second. */
const SLOWEST = 4_096;
const rate = (text: string) => z.number().int().min(SLOWEST, `expected ${SLOWEST} bytes per second or more`).optional().describe(`${text} Bytes per second.`);
const bandwidth = (whose: string) =>
  z
    .strictObject({
      downloadBytesPerSecond: rate('What clients may be sent, listings included.'),
      uploadBytesPerSecond: rate('What clients may send.'),
    })
    .optional()
    .describe(`How fast all transfers ${whose} together may move bytes; absent means as fast as they can.`);

export const limitsSchema = z.strictObject({
  sessions: count('Sessions at once.').default(10_000),
  sessionsPerAddress: count('Sessions at once from one client address.').default(500),
  sessionsPerAccount: count('Sessions at once of one account.').default(500),
  strangersPerAddress: count(
    'Connections from one address that have not logged in: those that are open, and those of the last minute that ended so (a failed handshake, a client that never spoke, a wrong password); more are answered 421.',
  ).default(250),
  connectionsPerMinutePerAddress: count('New connections in a minute from one address; more are answered 421.').default(6_000),
  loginAttempts: count('Failed logins after which a session is closed.').default(3),
  loginSeconds: seconds('A session that has not logged in by then is closed.').default(60),
  idleSeconds: seconds('A session without a command or transfer is closed after that long.').default(900),
  stallSeconds: seconds('A transfer that moves no byte for that long is ended.').default(60),
  lockout: z
    .strictObject({
      failuresPerAddress: count('Failed logins from one address after which it is locked out; one account makes up a quarter of them at most.').default(20),
      failuresPerAccount: count(
        'Failed logins of one account, from anywhere, after which it is locked out; from an address where it has logged in within a day, only those from there count.',
      ).default(10),
      firstSeconds: seconds('Length of the first lock-out; each further one doubles it.').default(30),
      longestSeconds: seconds('The longest lock-out.').default(3_600),
      table: z
        .string()
        .min(3)
        .optional()
        .describe(
          'DynamoDB table in which all instances share failures and lock-outs: partition key `key` (text), TTL attribute `expires`. Absent: each instance has its own. While the table can not be reached, each goes on with its own.',
        ),
    })
    .prefault({}),
  bandwidth: bandwidth('of the server, of all its workers,'),
  drainSeconds: seconds('How long transfers may go on after SIGTERM or a termination notice.').default(300),
});

const localStorage = z.strictObject({
  kind: z.literal('local'),
  root: file('Folder that holds the homes: a local disk or a mounted EFS file system.'),
  fsync: z.boolean().default(true).describe('Whether an upload is flushed to the disk before it is confirmed with 226.'),
});
const keyPrefix = (text: string) =>
  z
    .string()
    .max(256)
    .regex(/^([^/]+\/)*$/, 'expected nothing, or folders with a slash after each, for example `files/`')
    .describe(text);
const s3Storage = z.strictObject({
  kind: z.literal('s3'),
  bucket: z.string().min(3).describe('Bucket of the files.'),
  prefix: keyPrefix('What every key of a file begins with.').default(''),
  region: z.string().min(1).optional().describe('Region of the buckets; absent means the region of the instance.'),
  endpoint: z.url().optional().describe('URL of a storage that speaks the protocol of S3; absent means Amazon S3.'),
  pathStyle: z.boolean().default(false).describe('Whether the bucket stands in the path of requests instead of the host name, as most other storages want it.'),
  kmsKeyId: z.string().min(1).optional().describe('KMS key that objects are encrypted with; absent means the default of the bucket.'),
  release: z
    .enum(['server', 'guardduty'])
    .default('server')
    .describe(
      'Who lets an upload become visible. `server`: this server, at once, or after its own scan. `guardduty`: the release Lambda, when GuardDuty Malware Protection has found it clean; until then it waits in `quarantine`.',
    ),
  quarantine: z
    .strictObject({ bucket: z.string().min(3), prefix: keyPrefix('What every key in it begins with.').default('uploads/') })
    .optional()
    .describe('Where uploads wait for a verdict and infected ones stay; absent means a folder of `bucket` that no client can name.'),
  partBytes: z
    .number()
    .int()
    .min(5 * 1024 * 1024)
    .max(64 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Size of the parts of uploads and the pieces of downloads; it grows for uploads beyond a thousand parts. Bytes.'),
  memoryBytes: bytes(
    'What all transfers of one process (`workers`) hold on its way to S3 and from there, beyond one MiB that each may have. With little of it they wait for each other.',
  ).default(96 * 1024 * 1024),
  spool: file(
    'Folder on a disk of this machine for uploads over SFTP that are not written in order, which S3 can take only when they are whole; made where it is missing.',
  ).default('/var/lib/ftps/spool'),
  spoolBytes: bytes('What lies in `spool` at most, whole files that are being written and their holes included.').default(4 * 1024 * 1024 * 1024),
  connections: count('Requests to S3 at once.').default(256),
  attempts: count('How often a request that was throttled or failed is tried.').default(8),
  requestSeconds: seconds('How long S3 may be silent on a request.').default(30),
});
export const storageSchema = z.discriminatedUnion('kind', [localStorage, s3Storage]);

export const antivirusSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('off') }),
  z
    .strictObject({
      kind: z.literal('clamd'),
      socket: file('Unix socket of clamd, its `LocalSocket`.').optional(),
      host: z.string().min(1).optional().describe('Host of a clamd that listens on TCP. Its protocol is not encrypted: loopback, or a network of your own.'),
      port: z.number().int().min(1).max(65_535).default(3310).describe("Its port, clamd's `TCPSocket`."),
      connections: count('Uploads that are scanned at once; more wait for their turn.').default(64),
      timeoutSeconds: seconds('How long clamd may take to be reached, to take bytes, or to give its verdict after the last one.').default(120),
      maxBytes: bytes(
        'The largest file that clamd scans: not more than the smallest of its `StreamMaxLength`, `MaxFileSize` and `MaxScanSize`. clamd calls a file beyond the latter two clean without having looked at it all.',
      ).default(100 * 1024 * 1024),
      whenLarger: z
        .enum(['refuse', 'release'])
        .default('refuse')
        .describe('What happens to an upload beyond `maxBytes`. `release` lets it through unscanned, which the audit says.'),
      whenUnavailable: z
        .enum(['refuse', 'release'])
        .default('refuse')
        .describe('What happens to an upload while clamd is down or too slow. `release` lets it through unscanned, which the audit says.'),
    })
    .refine(({ socket, host }) => (socket === undefined) !== (host === undefined), 'name either `socket` or `host`'),
]);

const accountCertificate = [
  z.strictObject({ kind: z.literal('fingerprint'), sha256: z.string().regex(/^([0-9a-f]{2}:?){32}$/i, 'expected 32 bytes in hexadecimal') }),
  z.strictObject({ kind: z.literal('subject'), commonName: z.string().min(1) }),
  z.strictObject({ kind: z.literal('san'), value: z.string().min(1).describe('For example `DNS:partner.example.com` or `email:ops@example.com`.') }),
] as const;

const webhookSecret = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), file: file('File whose first line is the secret.') }),
  z.strictObject({
    kind: z.literal('secret'),
    secretId: z.string().min(1).describe('Secrets Manager secret with `secret`; a new value is taken up within a minute.'),
  }),
]);

const webhook = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected small letters, digits and `-`')
    .describe(
      'By which the audit and the outbox know the endpoint. One that has another name is another endpoint, and what waits for the one before is given up.',
    ),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((text) => !/^https?:\/\/[^/]*@/.test(text), 'expected no name or password in it; whoever gets it knows the server by its signature')
    .describe('Where it is: `https`, or `http` with `loopback`. Redirects are not followed.'),
  secrets: z
    .array(webhookSecret)
    .min(1)
    .max(2)
    .describe(
      'Secrets of the endpoint, `whsec_` and Base64 of 24 to 64 bytes. While one takes the place of another name both: each message is signed by both.',
    ),
  networks: z
    .array(network)
    .default([])
    .describe(
      'Private networks in which it may be. Addresses that are not reachable from everywhere, those of the instance metadata among them, are not connected to but for these.',
    ),
  loopback: z.boolean().default(false).describe('Whether it is a program of this machine, which may be reached in plain text.'),
  ca: file('PEM bundle of the authorities of its certificate, where they are not public ones.').optional(),
  requestSeconds: seconds('An endpoint that has not answered by then is asked again later.').default(15),
  giveUpSeconds: longTime('A message that was not taken for that long is given up, with a line in the audit.').default(259_200),
});

export const afterReleaseSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'A program and its arguments, started for every upload that became visible. There is no shell, and no part of it comes from a client: what is known of the upload is in the environment, `FTPS_USER`, `FTPS_PATH` (as the client names it), `FTPS_FILE` (a path of the host, or an `s3://` URL), `FTPS_BYTES`, `FTPS_SHA256`, `FTPS_CLIENT`, `FTPS_SESSION`. Clients do not wait for it; how it ended is in the audit.',
    ),
  commandSeconds: seconds('A command that runs longer is killed.').default(60),
  commandsAtOnce: count('Commands that run at once; more wait for their turn.').default(4),
  eventBus: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name or ARN of an EventBridge bus that gets an event `FTPS Upload Released` for every upload that became visible, at least once: it is kept in `outbox` until EventBridge has taken it.',
    ),
  webhooks: z
    .array(webhook)
    .max(8)
    .default([])
    .describe(
      'Endpoints that are told of every upload that became visible, at least once, by signed webhooks (Standard Webhooks 1): POST of what `docs/upload-released.schema.json` describes. Each message is kept in `outbox` until its endpoint has taken it.',
    ),
  outbox: file(
    'Folder in which events are kept until EventBridge, and each webhook, has taken them, on a disk of this machine; made where it is missing. One for each server.',
  ).default('/var/lib/ftps/outbox'),
  outboxEvents: count(
    'Events that are kept at most, by all workers together, each once for EventBridge and for each webhook. While that many wait, uploads are refused with 451 rather than taken without an event.',
  ).default(100_000),
  storage: z.string().min(1).max(256).optional().describe('Name of the storage in these events.'),
});

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

export const auditSchema = z.strictObject({
  destination: z.string().min(1).default('-').describe('File to append to, or `-` for standard output. One OCSF JSON object a line.'),
  sync: z.boolean().default(false).describe('Whether every line is flushed to disk before service goes on.'),
  rotate: z
    .union([
      z.literal(false),
      z.strictObject({
        bytes: bytes('Size from which on the file is begun anew; the one before is named after the moment, `audit-20260501T120000.000Z.json`.').default(
          64 * 1024 * 1024,
        ),
        minutes: count('Age from which on it is. Minutes.').default(1_440),
        keepBytes: bytes(
          'What rotated files may take together. Of those that were read since their last line, as by an agent that ships them, or are an hour old, the oldest goes first.',
        ).default(1024 * 1024 * 1024),
        freeBytes: bytes(
          'What stays free on the disk of the audit: below that, rotated files go, those that were shipped first; once none is left, the audit says that it is short of room, long before it can not be written.',
        ).default(256 * 1024 * 1024),
      }),
    ])
    .prefault({})
    .describe('How the file is kept in bounds. `false`: something else rotates it and says so with SIGHUP.'),
  heartbeatSeconds: seconds('How often the server says that it is alive, with its open sessions and transfers. An alarm notices when it does not.').default(60),
  hashUploads: z.boolean().default(true).describe('Whether the SHA-256 of every upload is computed as it streams and reported with it.'),
});

export const adminSchema = z.strictObject({
  socket: z.string().min(1).optional().describe('Unix socket of the admin interface, mode 0660.'),
  port: port('Loopback HTTP port of the admin interface: health, metrics, sessions.').optional(),
});

export const lifecycleSchema = z
  .strictObject({
    kind: z.literal('auto-scaling'),
    group: z.string().min(1).describe('Name of the Auto Scaling group that the instance is in.'),
    hook: z.string().min(1).describe('Name of its hook on termination, which is completed once the server has drained.'),
    pollSeconds: seconds('How often the instance metadata is asked for the target lifecycle state.').default(5),
  })
  .describe('Where instances come and go by themselves: the server drains when its instance is to be ended, and then lets it go.');

const secureUrl = z
  .url({ protocol: /^https$/, error: 'expected an address with https://' })
  .refine((text) => !/[?#@]/.test(text), 'expected an address without a query, a fragment or a name before an @');

/** From what a token says to the account that it stands for. */
const issuerRule = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('Name of a claim, or the way to one within others: `realm_access.roles`.'),
        value: z.string().describe('What it must be, or have in it where it is a list; of `scope` and `scp` a word.'),
      }),
    )
    .min(1, 'expected one claim or more: without one, everybody whom the issuer knows would come in')
    .describe('All of them must fit.'),
  user: z
    .string()
    .min(1)
    .describe(
      'The account that it stands for. `{claim}` is the value of a claim; use one that its owner can not choose, such as `sub` or `oid`. The account must be there, and may be used as it says itself, unless the rule has an `account`.',
    ),
  scopes: scopes.default(['read', 'write']),
  folder: folderOfAccount,
  account: accountRules
    .pick({ permissions: true, overwrite: true, allowedNetworks: true, deniedNetworks: true, maxSessions: true, quota: true, bandwidth: true })
    .extend({
      home: accountRules.shape.home.describe(
        'Folder of the account below the storage root. `{user}` is the name of the account, `{claim}` any claim with one value; each fills one folder name.',
      ),
    })
    .optional()
    .describe('What the account may do, where no source of accounts has it. One of that name that a source has is never used by it: then nobody is let in.'),
});

export const issuerSchema = z.strictObject({
  issuer: secureUrl.describe('As its tokens name it (`iss`), letter by letter.'),
  audience: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'Whom tokens must be for: any one of these must be in `aud`. A value that no other service shares: with the same one, its tokens would do here as well.',
    ),
  audienceClaim: z
    .enum(['aud', 'client_id'])
    .default('aud')
    .describe('`client_id` for issuers whose access tokens have no `aud`, as those of Amazon Cognito: `audience` then lists the clients.'),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']))
    .min(1)
    .default(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])
    .describe('Signatures that are taken (RFC 7518 section 3.1). None of them is made with a secret that both ends have.'),
  jwksUri: secureUrl
    .optional()
    .describe('Where its keys are (RFC 7517). Absent: where `/.well-known/openid-configuration` below the issuer says (OpenID Connect Discovery).'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe("Authorities of the issuer's own certificate: a PEM file, read again when it changes, or the PEM text itself. Absent means the well-known ones."),
  skewSeconds: z.number().min(0).max(300).default(60).describe('How far the clocks of issuer and server may be apart. Seconds.'),
  keysSeconds: seconds(
    'How long its keys are used before they are asked for again; a key that is not among them has them asked for at once, twice a minute at most. While the issuer does not answer, they are good for a day.',
  ).default(600),
  rules: z.array(issuerRule).min(1).describe('The first rule whose claims fit decides; a token that none fits is refused.'),
});

export const signInWithSchema = z.strictObject({
  name: z.string().min(1).max(60).describe('What stands on the button of the page.'),
  issuer: secureUrl.describe('One of `https.issuers`, whose rules say for which account somebody stands; here they look at the ID token.'),
  clientId: z.string().min(1).describe('As which the server is registered there, with the address `https://HOST/api/v1/sign-in/callback`.'),
  clientSecretFile: z.string().min(1).optional().describe('File whose first line is its secret there; read each time.'),
  clientSecretId: z
    .string()
    .min(1)
    .optional()
    .describe('Secrets Manager secret with `clientSecret`; read each time. Absent, as `clientSecretFile`: it has none, and PKCE alone (RFC 7636).'),
  scopes: z.array(z.string().min(1)).min(1).default(['openid', 'profile', 'email']).describe('What is asked for; `openid` must be among them.'),
});

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
