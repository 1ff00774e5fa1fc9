/** One bucket: the few requests that files need, with their conditions, encryption and paging. Errors are those of the SDK. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { bytesOf } from '../chunks';
import { type Cargo, carrying, crc32Of, payloadHash, signedFor } from './cargo';
import { isMissing, isOutOfRange } from './errors';
import { COPIED_WHOLE, COPY_PART, copyRanges, LARGEST_COPY, type Range } from './ranges';
import type { Landing } from './wire';

/** User metadata of an object; rclone and s3fs know `mtime`, seconds since 1970, too. */
export type Metadata = Readonly<Record<string, string>>;

export interface Found {
  readonly size: number;
  readonly etag: string;
  readonly modified: Date;
  readonly metadata: Metadata;
}

export interface Listed {
  readonly key: string;
  readonly size: number;
  readonly modified: Date;
}

export interface Page {
  readonly objects: readonly Listed[];
  /** What is in folders, up to the delimiter. */
  readonly prefixes: readonly string[];
  /** Names the next page, where there is one. */
  readonly next?: string;
}

interface ListOptions {
  readonly folders: boolean;
  readonly most?: number;
}

/** What must hold at the moment of writing: nothing has the key, or what has it is this very object. */
export type Condition = { readonly absent: true } | { readonly etag: string };

const conditionHeaders = (condition: Condition | undefined) =>
  condition === undefined ? {} : 'absent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
const rangeHeader = ({ first, last }: Range) => `bytes=${first}-${last}`;
/** Tries of a piece whose body broke off; the SDK retries requests, but not a body that ends early. */
const BODY_TRIES = 5;
/**
 * Named when an upload in parts begins and sent with each part, and the parts' checksums again at its end: S3 refuses parts whose checksum is of
 * another kind than the upload's, and an end without them (S3 user guide, "Checking object integrity for data uploads in Amazon S3").
 */
const PARTS_CHECKSUM = 'CRC32';
/** Keys that one request removes (DeleteObjects). */
const MOST_REMOVED = 1000;
const REMOVALS_AT_ONCE = 4;
/** Parts copied at once. */
const COPIES_AT_ONCE = 8;

export class Bucket {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
    private readonly kmsKeyId: string | undefined,
    /** Whether nobody can change a body on its way: then its hash need not be signed. */
    private readonly isSafe = true,
    /** Smaller only in tests. */
    private readonly copiedWhole = COPIED_WHOLE,
  ) {}

  async find(key: string): Promise<Found | undefined> {
    try {
      const { ContentLength, ETag, LastModified, Metadata } = await this.client.send(new HeadObjectCommand({ Bucket: this.name, Key: key }));
      return { size: ContentLength ?? 0, etag: ETag ?? '', modified: LastModified ?? new Date(0), metadata: Metadata ?? {} };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * The first bytes of whatever object has the key, and what is known of it. `landed` is fulfilled when they have come, and fails where only some did.
   * Absent where nothing lies in the range. Undefined where nothing has the key.
   */
  async open(key: string, range: Range, landing: Landing, signal: AbortSignal): Promise<(Found & { readonly landed?: Promise<void> }) | undefined> {
    const cargo: Cargo = { landing: () => landing };
    try {
      const command = new GetObjectCommand({ Bucket: this.name, Key: key, Range: rangeHeader(range) });
      const { ContentRange, ContentLength, ETag, LastModified, Metadata } = await this.client.send(command, carrying(cargo, signal));
      const size = Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? ContentLength);
      return { size, etag: ETag ?? '', modified: LastModified ?? new Date(0), metadata: Metadata ?? {}, landed: cargo.landed! };
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (!isOutOfRange(error)) throw error;
      return this.find(key); // also where the object is empty
    }
  }

  /** What is missing of a piece of exactly that object. */
  async read(
    key: string,
    etag: string,
    piece: Landing & { readonly first: number; readonly length: number; readonly landed: number },
    signal?: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; piece.landed < piece.length; attempt += 1) {
      const before = piece.landed;
      const range = rangeHeader({ first: piece.first + before, last: piece.first + piece.length - 1 });
      const cargo: Cargo = { landing: () => piece };
      await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key, IfMatch: etag, Range: range }), carrying(cargo, signal));
      try {
        await cargo.landed;
        if (piece.landed < piece.length) throw new Error('the body of an object ended early');
      } catch (error) {
        if (signal?.aborted || (piece.landed === before && attempt >= BODY_TRIES)) throw error;
      }
    }
  }

  /** A small object, whole. */
  async text(key: string): Promise<{ readonly text: string; readonly etag: string }> {
    const { Body, ETag } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    return { text: await Body!.transformToString(), etag: ETag ?? '' };
  }

  /** The same, of bytes. */
  async whole(key: string): Promise<Buffer> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.name, Key: key }));
    const bytes = await Body!.transformToByteArray();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Makes a small object. */
  async put(key: string, text: string, { condition }: { readonly condition?: Condition } = {}): Promise<void> {
    await this.client.send(
      new PutObjectCommand({ Bucket: this.name, Key: key, Body: Buffer.from(text), ...this.encryption(), ...conditionHeaders(condition) }),
    );
  }

  /** Makes an object in one request. */
  async putWhole(key: string, body: readonly Buffer[], metadata: Metadata, condition?: Condition): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.name,
      Key: key,
      ContentLength: bytesOf(body),
      ContentType: 'application/octet-stream',
      ChecksumCRC32: crc32Of(body),
      Metadata: metadata,
      ...this.encryption(),
      ...conditionHeaders(condition),
    });
    await this.client.send(signedFor(command, payloadHash(body, this.isSafe)), carrying({ body }));
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }));
  }

  /** Removes objects in as few requests as can be; those that are gone are none to remove. */
  async removeAll(keys: readonly string[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(keys.length / MOST_REMOVED) }, (_, index) => keys.slice(index * MOST_REMOVED, (index + 1) * MOST_REMOVED));
    await eachOf(batches, REMOVALS_AT_ONCE, async (batch) => {
      const { Errors = [] } = await this.client.send(
        new DeleteObjectsCommand({ Bucket: this.name, Delete: { Quiet: true, Objects: batch.map((Key) => ({ Key })) } }),
      );
      const [failed] = Errors;
      if (failed) throw Object.assign(new Error(`an object was not removed: ${failed.Message}`), { name: failed.Code });
    });
  }

  /** Everything below a prefix, by pages of at most `most`, of which the next is asked for while one is looked at; with `folders`, only up to the next slash. */
  async *list(prefix: string, options: ListOptions): AsyncIterable<Page> {
    let next: Promise<Page> | undefined = this.page(prefix, options);
    while (next) {
      const page: Page = await next;
      next = page.next === undefined ? undefined : this.page(prefix, options, page.next);
      next?.catch(() => {}); // awaited when its turn comes
      yield page;
    }
  }

  /** One page, from a token on that the one before told. */
  async page(prefix: string, { folders, most = 1000 }: ListOptions, token?: string): Promise<Page> {
    const page = await this.client.send(
      new ListObjectsV2Command({
        Bucket: this.name,
        Prefix: prefix,
        Delimiter: folders ? '/' : undefined,
        MaxKeys: most,
        ContinuationToken: token,
        EncodingType: 'url', // XML can't hold every character of a key
      }),
    );
    const decoded = (text: string | undefined) => (page.EncodingType === 'url' ? decodeURIComponent((text ?? '').replaceAll('+', ' ')) : (text ?? ''));
    return {
      objects: (page.Contents ?? []).map(({ Key, Size, LastModified }) => ({ key: decoded(Key), size: Size ?? 0, modified: LastModified ?? new Date(0) })),
      prefixes: (page.CommonPrefixes ?? []).map(({ Prefix }) => decoded(Prefix)),
      next: page.IsTruncated ? page.NextContinuationToken : undefined,
    };
  }

  /** The first keys below a prefix. */
  async firstKeys(prefix: string, most: number): Promise<string[]> {
    return (await this.page(prefix, { folders: false, most })).objects.map(({ key }) => key);
  }

  /** Copies exactly that object within S3, in parts side by side where it is large; the signal ends that. */
  async copy(from: { bucket: Bucket; key: string } & Found, key: string, metadata: Metadata, condition?: Condition, signal?: AbortSignal): Promise<void> {
    if (from.size <= this.copiedWhole) return this.copyWhole(from, key, metadata, condition);
    try {
      await this.copyInParts(from, key, metadata, condition, signal);
    } catch (error) {
      if (!(error instanceof WrongChecksum) || from.size > LARGEST_COPY) throw error;
      await this.copyWhole(from, key, metadata, condition);
    }
  }

  private async copyWhole(from: { bucket: Bucket; key: string } & Found, key: string, metadata: Metadata, condition?: Condition): Promise<void> {
    await this.client.send(
      new CopyObjectCommand({
        Bucket: this.name,
        Key: key,
        CopySource: from.bucket.sourceName(from.key),
        CopySourceIfMatch: from.etag,
        MetadataDirective: 'REPLACE',
        Metadata: metadata,
        ...this.encryption(),
        ...conditionHeaders(condition),
      }),
    );
  }

  private async copyInParts(
    from: { bucket: Bucket; key: string } & Found,
    key: string,
    metadata: Metadata,
    condition?: Condition,
    signal?: AbortSignal,
  ): Promise<void> {
    // CopyObject takes the tags along by itself; parts have none.
    const { TagSet = [] } = await this.client.send(new GetObjectTaggingCommand({ Bucket: from.bucket.name, Key: from.key }));
    const tags = new URLSearchParams(TagSet.map(({ Key = '', Value = '' }): [string, string] => [Key, Value])).toString();
    const upload = await this.beginParts(key, metadata, tags || undefined);
    try {
      const parts = await this.copyParts(upload, from, copyRanges(from.size, Math.min(COPY_PART, this.copiedWhole)), signal);
      await this.completeParts(upload, parts, condition);
    } catch (error) {
      await this.abortParts(upload).catch(() => {}); // the first error is the one to tell
      throw error;
    }
  }

  /** `tags` as S3 wants them in a header: `key=value&…`. */
  async beginParts(key: string, metadata: Metadata, tags?: string): Promise<MultipartUpload> {
    const { UploadId } = await this.client.send(
      new CreateMultipartUploadCommand({
        Bucket: this.name,
        Key: key,
        Metadata: metadata,
        Tagging: tags,
        ChecksumAlgorithm: PARTS_CHECKSUM,
        ...this.encryption(),
      }),
    );
    return { key, id: UploadId! };
  }

  async putPart({ key, id }: MultipartUpload, number: number, body: readonly Buffer[], signal?: AbortSignal): Promise<CompletedPart> {
    const command = new UploadPartCommand({
      Bucket: this.name,
      Key: key,
      UploadId: id,
      PartNumber: number,
      ContentLength: bytesOf(body),
      ChecksumCRC32: crc32Of(body),
    });
    const { ETag, ChecksumCRC32 } = await this.client.send(signedFor(command, payloadHash(body, this.isSafe)), carrying({ body }, signal));
    return { PartNumber: number, ETag, ChecksumCRC32 };
  }

  /** Makes the first parts of an upload out of ranges of an object. */
  async copyParts(
    { key, id }: MultipartUpload,
    from: { bucket: Bucket; key: string; etag: string },
    ranges: readonly Range[],
    signal?: AbortSignal,
  ): Promise<CompletedPart[]> {
    const parts: CompletedPart[] = [];
    await eachOf(ranges.entries(), COPIES_AT_ONCE, async ([index, range]) => {
      signal?.throwIfAborted();
      const { CopyPartResult } = await this.client.send(
        new UploadPartCopyCommand({
          Bucket: this.name,
          Key: key,
          UploadId: id,
          PartNumber: index + 1,
          CopySource: from.bucket.sourceName(from.key),
          CopySourceIfMatch: from.etag,
          CopySourceRange: rangeHeader(range),
        }),
        { abortSignal: signal },
      );
      parts[index] = { PartNumber: index + 1, ETag: CopyPartResult?.ETag, ChecksumCRC32: ofPart(CopyPartResult?.ChecksumCRC32) };
    });
    return parts;
  }

  async completeParts({ key, id }: MultipartUpload, parts: readonly CompletedPart[], condition?: Condition): Promise<void> {
    await this.client.send(
      new CompleteMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: id, MultipartUpload: { Parts: [...parts] }, ...conditionHeaders(condition) }),
    );
  }

  async abortParts({ key, id }: MultipartUpload): Promise<void> {
    await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: id }));
  }

  /** Uploads in parts that have no end, and began before then where that is said. */
  async *openParts(prefix: string, before?: Date): AsyncIterable<MultipartUpload> {
    let marker: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {};
    while (marker) {
      const page: ListMultipartUploadsCommandOutput = await this.client.send(new ListMultipartUploadsCommand({ Bucket: this.name, Prefix: prefix, ...marker }));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) if (!before || (Initiated && Initiated < before)) yield { key: Key!, id: UploadId! };
      marker = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
  }

  private sourceName(key: string): string {
    return [this.name, ...key.split('/')].map(encodeURIComponent).join('/');
  }

  private encryption() {
    return this.kmsKeyId === undefined ? {} : ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: this.kmsKeyId, BucketKeyEnabled: true } as const);
  }
}

/** A server that does not know the checksums of copied parts: no object can be made of them. */
class WrongChecksum extends Error {}

/** versitygw tells, for a part, the checksum of the object that it was copied from; that of one in parts ends with their number. */
function ofPart(checksum: string | undefined): string | undefined {
  if (checksum?.includes('-')) throw new WrongChecksum('the checksum of a copied part is that of its object');
  return checksum;
}

export interface MultipartUpload {
  readonly key: string;
  readonly id: string;
}

/** Does something with each, some at once. The first error ends it, when what is under way is over. */
export async function eachOf<T>(items: Iterable<T> | AsyncIterable<T>, atOnce: number, act: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    if (failure) break;
    const one = act(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(one));
    running.add(one);
    if (running.size >= atOnce) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}
