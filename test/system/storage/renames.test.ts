/** Renames in S3 that something cuts: nothing is lost, and the same rename goes on. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Storage, Volume } from '../../../server/files/storage/storage';
import { names, read, write } from '../../server/files/storage/conformance';
import { needRoom } from '../support/room';
import { type Fate, openS3, type S3Server, startS3 } from './servers';

const FILES = 60;
let server: S3Server;
let storage: Storage;
let volume: Volume;
let bucket: string;

beforeAll(async () => {
  server = await startS3('versitygw');
});
beforeEach(async () => {
  bucket = await server.newBucket();
  storage = openS3(server, bucket, { attempts: 2 }, false);
  volume = await storage.open({ user: 'demo', home: '/' });
});
afterEach(async () => {
  server.judge = () => 'pass';
  await storage.close();
});
afterAll(() => server.stop());

async function fill(): Promise<void> {
  await volume.mkdir('/old');
  await volume.mkdir('/old/inner');
  await Promise.all(Array.from({ length: FILES }, (_, index) => write(volume, `/old/${index % 2 === 0 ? '' : 'inner/'}${index}`, `content ${index}`)));
}

async function expectMoved(): Promise<void> {
  expect(await names(volume)).toEqual(['new']);
  for (let index = 0; index < FILES; index += 1)
    expect((await read(volume, `/new/${index % 2 === 0 ? '' : 'inner/'}${index}`)).toString()).toBe(`content ${index}`);
  expect((await server.keys(bucket, '.ftps-')).length).toBe(0);
}

it('of a folder go on when they are asked for again after a crash in the middle', async () => {
  await fill();
  let copies = 0;
  // From then on nothing gets through, as if the server had died: what was copied can't be taken back either.
  server.judge = ({ headers }) => {
    if (headers['x-amz-copy-source']) copies += 1;
    return copies > FILES / 2 ? 'deny' : 'pass';
  };
  await expect(volume.rename('/old', '/new')).rejects.toMatchObject({ code: 'unavailable' });
  server.judge = () => 'pass';
  await storage.close();
  expect((await server.keys(bucket, 'new/')).length).toBeGreaterThan(0);
  expect((await server.keys(bucket, 'old/')).length).toBeGreaterThan(FILES);

  storage = openS3(server, bucket, {}, false);
  volume = await storage.open({ user: 'demo', home: '/' });
  await expect(volume.rename('/old/inner', '/new')).rejects.toMatchObject({ code: 'exists' }); // another rename finds the name taken
  await volume.rename('/old', '/new');
  await expectMoved();
});

it('of a folder leave everything where it was when they are given up', async () => {
  await fill();
  const stop = new AbortController();
  let copies = 0;
  server.judge = ({ headers }) => {
    if (headers['x-amz-copy-source'] && ++copies === 20) stop.abort(new Error('given up'));
    return 'pass';
  };
  await expect(volume.rename('/old', '/new', { signal: stop.signal })).rejects.toThrow();
  expect(await names(volume)).toEqual(['old']);
  expect((await server.keys(bucket, 'old/')).length).toBe(FILES + 2);
  expect((await server.keys(bucket, '.ftps-')).length).toBe(0);
});

it('succeed where the answers to copies and removals are lost', async () => {
  await fill();
  const seen = new Set<string>();
  server.judge = ({ method, url, headers }) => {
    const first = !seen.has(`${method} ${url}`);
    seen.add(`${method} ${url}`);
    return first && (headers['x-amz-copy-source'] || method === 'DELETE' || method === 'POST') ? 'lost' : 'pass';
  };
  await volume.rename('/old', '/new');
  server.judge = () => 'pass';
  await expectMoved();
});

it('of a file neither lose it nor find their own copy in the way', async () => {
  await write(volume, '/file', 'content');
  const seen = new Set<string>();
  server.judge = ({ method, url }) => {
    const first = !seen.has(`${method} ${url}`);
    seen.add(`${method} ${url}`);
    return first && (method === 'PUT' || method === 'DELETE') ? 'lost' : 'pass';
  };
  await volume.rename('/file', '/other');
  server.judge = () => 'pass';
  expect(await names(volume)).toEqual(['other']);
  await write(volume, '/file', 'content'); // the same bytes, but another upload
  await expect(volume.rename('/file', '/other')).rejects.toMatchObject({ code: 'exists' });
  expect((await read(volume, '/file')).toString()).toBe('content');
});

describe('of a file that is copied in parts', () => {
  /** More than one request copies. */
  const large = Buffer.alloc(257 * 1024 * 1024);
  for (let at = 0; at < large.length; at += 4096) large.writeUInt32LE(at, at);
  const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');
  const openUploads = async () => (await server.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  const isPart = ({ url, headers }: IncomingMessage) => headers['x-amz-copy-source'] !== undefined && url!.includes('partNumber=');

  beforeEach(async () => {
    needRoom(tmpdir(), 5 * large.length); // there, its parts, and the copy that is made of them
    await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'old.bin', Body: large }));
  });

  const expectThere = async (name: string) => {
    expect(await names(volume)).toEqual([name]);
    expect(hashOf(await read(volume, `/${name}`))).toBe(hashOf(large));
  };

  it('show nothing of it after a crash in the middle, and can be asked for again', async () => {
    let parts = 0;
    let isDead = false;
    // From then on nothing gets through, as if the server had died: the parts can't be given back either.
    server.judge = (request) => {
      if (isPart(request)) parts += 1;
      isDead ||= parts === 2;
      return isDead ? 'deny' : 'pass';
    };
    await expect(volume.rename('/old.bin', '/new.bin')).rejects.toMatchObject({ code: 'unavailable' });
    server.judge = () => 'pass';
    await storage.close();
    storage = openS3(server, bucket, {}, false);
    volume = await storage.open({ user: 'demo', home: '/' });
    await expectThere('old.bin');
    expect(await openUploads()).toMatchObject([{ Key: 'new.bin' }]); // swept when it is a day old
    await volume.rename('/old.bin', '/new.bin');
    await expectThere('new.bin');
  });

  it('give the parts back when they are given up', async () => {
    const stop = new AbortController();
    server.judge = (request) => {
      if (isPart(request)) stop.abort(new Error('given up'));
      return 'pass';
    };
    await expect(volume.rename('/old.bin', '/new.bin', { signal: stop.signal })).rejects.toMatchObject({ code: 'unavailable' });
    await expectThere('old.bin');
    expect(await openUploads()).toEqual([]);
  });

  it.each<Fate>(['lost', 'throttle', 'cut'])('succeed where the first answer to each of its requests is: %s', async (fate) => {
    await storage.close();
    storage = openS3(server, bucket, {}, false);
    volume = await storage.open({ user: 'demo', home: '/' });
    const seen = new Set<string>();
    server.judge = ({ method, url, headers }) => {
      const what = `${method} ${url} ${headers['x-amz-copy-source-range'] ?? ''}`;
      const isFirst = !seen.has(what);
      seen.add(what);
      // An upload whose beginning was lost is begun twice: one of them is swept.
      return isFirst && method !== 'HEAD' && !(fate === 'lost' && url!.includes('uploads')) ? fate : 'pass';
    };
    await volume.rename('/old.bin', '/new.bin');
    server.judge = () => 'pass';
    await expectThere('new.bin');
    expect(await openUploads()).toEqual([]);
  });
});
