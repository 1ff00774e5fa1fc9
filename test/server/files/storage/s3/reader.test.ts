/** Objects on their way to clients: where the bytes lie meanwhile, and how much of them. */
import { randomBytes } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { sendFile } from '../../../../../server/files/download';
import { Bucket } from '../../../../../server/files/storage/s3/bucket';
import { carryCargo } from '../../../../../server/files/storage/s3/cargo';
import { Memory } from '../../../../../server/files/storage/s3/memory';
import { ObjectReader } from '../../../../../server/files/storage/s3/reader';
import { Wire } from '../../../../../server/files/storage/s3/wire';
import { type SmallS3, startSmallS3 } from './small-s3';

const MIB = 1024 ** 2;
const large = randomBytes(24 * MIB + 77);
let s3: SmallS3;
let bucket: Bucket;
let memory: Memory;

beforeAll(async () => {
  s3 = await startSmallS3();
  s3.objects.set('large', large);
  const client = new S3Client({ endpoint: s3.endpoint, forcePathStyle: true, region: 'us-east-1', maxAttempts: 2 });
  carryCargo(client, new Wire({ connections: 64, connectMs: 5_000, silentMs: 5_000 }));
  bucket = new Bucket(client, 'bucket', undefined);
});
afterAll(() => s3.stop());
beforeEach(() => {
  memory = new Memory(96 * MIB, 8 * MIB);
  s3.asked = [];
  s3.instead = () => false;
});

const open = async (first = 0) => (await ObjectReader.open({ bucket, key: 'large', memory }, first))!;
const rangesAsked = () =>
  s3.asked
    .filter(({ what }) => what === 'GET large')
    .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range!)!.slice(1).map(Number) as [number, number]);

describe('a download from S3', () => {
  it('is sent from the memory in which it landed, all of which is given back', async () => {
    const reader = await open();
    const sent: Buffer[] = [];
    const pieces: Buffer[] = [];
    let isOver = false;
    await sendFile(reader, large.length, {
      async send(bytes) {
        pieces.push(bytes);
        await new Promise((resolve) => setImmediate(resolve)); // whoever lent it must not touch it meanwhile
        sent.push(Buffer.from(bytes));
      },
      async end() {
        isOver = true;
      },
      abandon() {},
    });
    await reader.close();
    expect(Buffer.concat(sent).equals(large)).toBe(true);
    expect(pieces.every(({ buffer }) => buffer.byteLength === MIB)).toBe(true); // slabs, and no buffer of another kind
    expect(isOver).toBe(true);
    expect(memory.held).toBe(0);
  });

  it('gives everything back where the client is gone in the middle', async () => {
    const reader = await open(5);
    let sends = 0;
    const outlet = {
      async send() {
        sends += 1;
        if (sends === 3) throw new Error('gone');
      },
      async end() {},
      abandon() {},
    };
    await expect(sendFile(reader, large.length - 5, outlet)).rejects.toThrow('gone');
    await reader.close();
    expect(memory.held).toBe(0);
  });

  it('comes in one request where it is no larger than a piece', async () => {
    const content = randomBytes(6 * MIB);
    s3.objects.set('six', content);
    const reader = (await ObjectReader.open({ bucket, key: 'six', memory }, 0))!;
    const got = Buffer.alloc(content.length);
    for (let at = 0; at < got.length; ) at += await reader.read(got.subarray(at));
    expect(await reader.read(Buffer.alloc(1))).toBe(0);
    await reader.close();
    expect(got.equals(content)).toBe(true);
    expect(s3.asked.filter(({ what }) => what === 'GET six')).toHaveLength(1); // that of the test before may still be under way
  });

  it('leaves others what is theirs: none of six asks for more than its share, and two ranges at once of it', async () => {
    const scarce = new Memory(24 * MIB, 8 * MIB);
    const readers: ObjectReader[] = [];
    for (let index = 0; index < 6; index += 1) readers.push((await ObjectReader.open({ bucket, key: 'large', memory: scarce }, 0))!);
    s3.asked = []; // what was asked before there were six
    const all = readers.map(async (reader) => {
      const whole = Buffer.alloc(large.length);
      for (let at = 0; at < whole.length; ) at += await reader.read(whole.subarray(at));
      return whole.equals(large);
    });
    expect(await Promise.all(all)).toEqual(readers.map(() => true));
    expect(Math.max(...rangesAsked().map(([first, last]) => last + 1 - first))).toBeLessThanOrEqual(2 * MIB);
    for (const reader of readers) await reader.close();
    expect(scarce.held).toBe(0);
  });

  it('fails where a server gives all of an object that it was asked a range of', async () => {
    s3.instead = (_what, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': large.length }).end(large);
      return true;
    };
    await expect(open()).rejects.toThrow('instead of a range');
    expect(memory.held).toBe(0);
  });
});
