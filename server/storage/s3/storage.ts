/** Amazon S3, or what speaks its protocol, as storage. */
import { S3Client } from '@aws-sdk/client-s3';
import type { ServerConfig } from '../../config';
import { quarantineId } from '../quarantine-id';
import type { Storage } from '../storage';
import { type Held, LocalCounts, Usage, type UsageCounts } from '../usage';
import { isReserved, partsOf, QUARANTINE, RETENTION, virtualPath } from '../virtual-path';
import { Bucket } from './bucket';
import { Memory } from './memory';
import { S3Quarantine } from './quarantine';
import { S3Retained } from './retained';
import { S3Volume } from './volume';

/** What is older, and was not finished, is taken for abandoned; other instances may be at work on what is younger. */
const ABANDONED_MS = 24 * 3_600_000;

export interface S3StorageOptions {
  /** Whether the server scans uploads by itself before they may be read. */
  readonly scanned: boolean;
  /** Where quotas are counted; by default in this process. */
  readonly counts?: UsageCounts;
}

export function s3Storage(config: Extract<ServerConfig['storage'], { kind: 's3' }>, { scanned, counts = new LocalCounts() }: S3StorageOptions): Storage {
  const client = new S3Client({
    region: config.region,
    endpoint: config.endpoint,
    forcePathStyle: config.pathStyle,
    maxAttempts: config.attempts,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: config.requestSeconds * 1000,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: config.connections },
      httpsAgent: { maxSockets: config.connections },
    },
  });
  const bucket = new Bucket(client, config.bucket, config.kmsKeyId);
  const held = config.quarantine ?? { bucket: config.bucket, prefix: `${config.prefix}${QUARANTINE}/` };
  const quarantine = new S3Quarantine(new Bucket(client, held.bucket, config.kmsKeyId), held.prefix, bucket);
  const memory = new Memory(config.memoryBytes, config.partBytes);
  const prefixOf = (home: string) =>
    config.prefix +
    partsOf(virtualPath('/', home))
      .map((part) => `${part}/`)
      .join('');
  const usages = new Map<string, Usage>();
  const judge = config.release === 'guardduty' ? 'later' : scanned ? 'now' : undefined;
  return {
    async open({ user, home, quota }) {
      const prefix = prefixOf(home);
      const usage = quota && (usages.get(prefix) ?? new Usage(prefix, quota, () => countBelow(bucket, prefix), counts));
      if (usage) usages.set(prefix, usage);
      return new S3Volume({
        bucket,
        prefix,
        memory,
        usage,
        newId: () => quarantineId(new Date()),
        hold: (id, path, key) => judge && quarantine.place(id, judge, { user, home: virtualPath('/', home), path, key }),
      });
    },
    quarantine,
    retained: new S3Retained(bucket, `${config.prefix}${RETENTION}/`),
    locate: (home, path) => `s3://${config.bucket}/${prefixOf(home)}${path.slice(1)}`,
    async sweep() {
      const before = new Date(Date.now() - ABANDONED_MS);
      for await (const parts of bucket.openParts(config.prefix, before)) await bucket.abortParts(parts);
      if (judge) await quarantine.sweep(before);
    },
    async close() {
      client.destroy();
    },
  };
}

async function countBelow(bucket: Bucket, prefix: string): Promise<Held> {
  let [bytes, files] = [0, 0];
  for await (const { objects } of bucket.list(prefix, { folders: false }))
    for (const { key, size } of objects)
      if (!key.endsWith('/') && !isReserved(key.slice(prefix.length).split('/', 1)[0]!)) {
        bytes += size;
        files += 1;
      }
  return { bytes, files };
}
