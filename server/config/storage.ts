/** Where files lie, and what looks at them before they are released. */
import { z } from 'zod';
import { bytes, count, file, keyPrefix, seconds } from './values';

/** Folder of the uploads themselves, below the prefix of a quarantine in S3; a scanner reads this one alone. */
export const QUARANTINED_FILES = 'held/';

const localStorage = z.strictObject({
  kind: z.literal('local'),
  root: file('Folder that holds the homes: a local disk or a mounted EFS file system.'),
  fsync: z.boolean().default(true).describe('Whether an upload is flushed to the disk before it is confirmed with 226.'),
});

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
      connections: count(
        'Uploads that are scanned at once, half of them of one account at most. More wait for their turn, up to `timeoutSeconds`, and are refused then, whatever `whenUnavailable` says.',
      ).default(64),
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
