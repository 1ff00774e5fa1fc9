/** Amazon S3, or what speaks its protocol, as storage. */
import { S3Client } from '@aws-sdk/client-s3';
import type { ServerConfig } from '../../../config';
import { FairTurns } from '../../fair-turns';
import { isReserved, NOTES, partsOf, QUARANTINE, RETENTION, STAGING, virtualPath } from '../../virtual-path';
import { Accounting, type SharedParts } from '../accounting';
import { quarantineId } from '../quarantine-id';
import type { Storage } from '../storage';
import type { Held } from '../usage-counts';
import { Bucket } from './bucket';
import { carryCargo } from './cargo';
import { KnownFolders } from './known-folders';
import { Memory } from './memory';
import { Moves } from './moves';
import { S3Notes } from './notes';
import { S3Prepared } from './prepared';
import { S3Quarantine } from './quarantine';
import { S3Retained } from './retained';
import { Spool } from './spool';
import { S3Stretches } from './stretches';
import { S3Volume } from './volume';
import { Wire } from './wire';

/** What is older, and was not finished, is taken for abandoned; other instances may be at work on what is younger. */
const ABANDONED_MS = 24 * 3_600_000;
const CONNECT_MS = 5_000;
/** Beginnings of files that are copied at once for uploads that continue them. */
const COPIES_AT_ONCE = 8;

export interface S3StorageOptions extends SharedParts {
  /** Whether the server scans uploads by itself before they may be read. */
  readonly scanned: boolean;
  /** How many processes share the spool's room. Default: 1. */
  readonly processes?: number;
}

export function s3Storage(config: Extract<ServerConfig['storage'], { kind: 's3' }>, { scanned, processes = 1, ...shared }: S3StorageOptions): Storage {
  const client = new S3Client({
    region: config.region,
    endpoint: config.endpoint,
    forcePathStyle: config.pathStyle,
    maxAttempts: config.attempts,
    // Each would be asked for on a connection of its own, and be a request's delay; a refusal is heard while a body is sent.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: config.requestSeconds * 1000,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: config.connections },
      httpsAgent: { maxSockets: config.connections },
    },
  });
  carryCargo(client, new Wire({ connections: config.connections, connectMs: CONNECT_MS, silentMs: config.requestSeconds * 1000 }));
  const isSafe = config.endpoint === undefined || isPrivate(new URL(config.endpoint));
  const bucket = new Bucket(client, config.bucket, config.kmsKeyId, isSafe);
  const held = config.quarantine ?? { bucket: config.bucket, prefix: `${config.prefix}${QUARANTINE}/` };
  const quarantine = new S3Quarantine(new Bucket(client, held.bucket, config.kmsKeyId, isSafe), held.prefix, bucket);
  const memory = new Memory(config.memoryBytes, config.partBytes);
  const prefixOf = (home: string) =>
    config.prefix +
    partsOf(virtualPath('/', home))
      .map((part) => `${part}/`)
      .join('');
  const folders = new KnownFolders();
  const moves = new Moves(bucket, `${config.prefix}${STAGING}/moves/`);
  const accounting = new Accounting(shared);
  const spool = new Spool(config.spool, Math.floor(config.spoolBytes / processes));
  const copies = new FairTurns(COPIES_AT_ONCE);
  const judge = config.release === 'guardduty' ? 'later' : scanned ? 'now' : undefined;
  return {
    async open({ user, home, quota, overwrite = true }) {
      const prefix = prefixOf(home);
      return new S3Volume({
        bucket,
        prefix,
        memory,
        folders,
        moves,
        usage: accounting.usageOf({ user, quota }, partsOf(virtualPath('/', home)).join('/'), (signal) => countBelow(bucket, prefix, signal)),
        user,
        overwrite,
        locks: accounting.locks,
        copies,
        spool,
        newId: () => quarantineId(new Date()),
        hold: (id, path, key) => judge && quarantine.place(id, judge, { user, home: virtualPath('/', home), path, key, onlyNew: overwrite ? undefined : true }),
      });
    },
    quarantine,
    retained: new S3Retained(bucket, `${config.prefix}${RETENTION}/`),
    notes: new S3Notes(bucket, `${config.prefix}${NOTES}/`),
    stretches: new S3Stretches(bucket, `${config.prefix}${NOTES}/`),
    prepared: new S3Prepared([bucket, new Bucket(client, held.bucket, config.kmsKeyId, isSafe)]),
    locate: (home, path) => `s3://${config.bucket}/${prefixOf(home)}${path.slice(1)}`,
    async *sweep() {
      const before = new Date(Date.now() - ABANDONED_MS);
      const parts = bucket.openParts(config.prefix, before)[Symbol.asyncIterator]();
      let next = await parts.next();
      yield;
      for (; !next.done; next = await parts.next()) {
        await bucket.abortParts(next.value);
        yield;
      }
      yield* moves.sweep(before);
      if (judge) yield* quarantine.sweep(before);
      yield* spool.sweep();
    },
    async close() {
      await accounting.close();
      await spool.close();
      client.destroy();
    },
  };
}

/** Whether nobody on the way can change what is sent there. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost';
}

async function countBelow(bucket: Bucket, prefix: string, signal: AbortSignal): Promise<Held> {
  let [bytes, files] = [0, 0];
  for await (const { objects } of bucket.list(prefix, { folders: false })) {
    signal.throwIfAborted();
    for (const { key, size } of objects)
      if (!key.endsWith('/') && !isReserved(key.slice(prefix.length).split('/', 1)[0]!)) {
        bytes += size;
        files += 1;
      }
  }
  return { bytes, files };
}
