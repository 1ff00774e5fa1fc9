/** What S3 is asked for, and how often: each request takes its time and costs. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import type { Volume } from '../../../../../server/files/storage/storage';
import { read, write } from '../conformance';
import { type SmallS3, startSmallS3 } from './small-s3';

const MIB = 1024 ** 2;
let s3: SmallS3;
let volume: Volume;

beforeAll(async () => {
  s3 = await startSmallS3();
});
afterAll(() => s3.stop());
beforeEach(async () => {
  s3.objects.clear();
  s3.instead = () => false;
  ({ volume } = await s3.open());
  s3.asked = [];
});

const asked = () => s3.asked.map(({ what }) => what);
const small = async (path: string, content: string) => {
  const handle = await volume.openWrite(path, { kind: 'replace' });
  await handle.write([Buffer.from(content)], true);
  await handle.commit();
};

describe('requests to S3', () => {
  it('are one for a small file, after one look at its folder', async () => {
    s3.objects.set('in/', Buffer.alloc(0));
    await small('/in/one', 'content');
    expect(asked()).toEqual([expect.stringContaining('list-type'), 'PUT in/one']);
    s3.asked = [];
    for (const name of ['two', 'three']) await small(`/in/${name}`, 'content');
    expect(asked()).toEqual(['PUT in/two', 'PUT in/three']);
  });

  it('carry a checksum that was computed once, no second hash and no wish to be asked to continue', async () => {
    const content = randomBytes(3 * MIB);
    await write(volume, '/file', content);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(content));
    const { headers } = s3.asked.find(({ what }) => what === 'PUT file')!;
    expect(headers).toMatchObject({
      'content-length': String(content.length),
      'x-amz-checksum-crc32': sum.toString('base64'),
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    });
    expect(headers).not.toHaveProperty('expect');
    expect(s3.objects.get('file')!.equals(content)).toBe(true);
  });

  it('are one for the first byte of a download, and none that looks first', async () => {
    s3.objects.set('small', Buffer.from('content'));
    expect((await read(volume, '/small')).toString()).toBe('content');
    expect((await read(volume, '/small', 3)).toString()).toBe('tent');
    expect(asked()).toEqual(['GET small', 'GET small']);
  });

  it('are made for ranges side by side where the client is quick, of exactly the object that was opened', async () => {
    const content = randomBytes(40 * MIB);
    s3.objects.set('large', content);
    let [running, most] = [0, 0];
    s3.instead = (what, response) => {
      if (what !== 'GET large') return false;
      running += 1;
      most = Math.max(most, running);
      response.once('close', () => {
        running -= 1;
      });
      return false;
    };
    expect((await read(volume, '/large')).equals(content)).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(s3.asked.slice(1).every(({ headers }) => headers['if-match'] === '"one"')).toBe(true);
  });

  it('stop soon where the client takes nothing more', async () => {
    s3.objects.set('large', Buffer.alloc(40 * MIB));
    const handle = await volume.openRead('/large', 0);
    await handle.read(Buffer.alloc(1024));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const bytes = s3.asked
      .map(({ headers }) => /bytes=(\d+)-(\d+)/.exec(headers.range as string)!)
      .reduce((sum, [, first, last]) => sum + Number(last) - Number(first) + 1, 0);
    expect(bytes).toBeLessThanOrEqual(9 * MIB);
    await handle.close();
  });

  it('ask again for what is missing of a body that broke off, and for nothing else', async () => {
    const content = randomBytes(MIB);
    s3.objects.set('file', content);
    let isFirst = true;
    s3.instead = (what, response) => {
      if (!isFirst || what !== 'GET file') return false;
      isFirst = false;
      response.writeHead(206, { etag: '"one"', 'content-length': MIB, 'content-range': `bytes 0-${MIB - 1}/${MIB}` });
      response.write(content.subarray(0, 1000), () => response.destroy());
      return true;
    };
    expect((await read(volume, '/file')).equals(content)).toBe(true);
    const ranges = s3.asked.filter(({ what }) => what === 'GET file').map(({ headers }) => headers.range);
    expect(ranges).toEqual([`bytes=0-${8 * MIB - 1}`, `bytes=1000-${MIB - 1}`]);
  });

  it('for one object that S3 does not answer hold up no other', async () => {
    const silent: ServerResponse[] = [];
    s3.instead = (what, response) => what.endsWith(' stuck') && silent.push(response) > 0;
    const stuck = small('/stuck', 'content');
    for (let index = 0; index < 20; index += 1) await small(`/file-${index}`, 'content');
    expect((await read(volume, '/file-19')).toString()).toBe('content');
    for (const response of silent) response.writeHead(200).end();
    await stuck;
  });

  it('end after a few tries while S3 refuses everything, with fewer tries the longer that goes on', async () => {
    s3.instead = (_what, response) => {
      response.writeHead(503, { 'content-type': 'application/xml' }).end('<Error><Code>SlowDown</Code></Error>');
      return true;
    };
    const { volume: refused } = await s3.open({ attempts: 2 });
    s3.asked = [];
    const files = 150;
    const results = await Promise.allSettled(Array.from({ length: files }, (_, index) => write(refused, `/folder-${index}/file`, 'content')));
    expect(results.every((one) => one.status === 'rejected' && (one.reason as { code?: string }).code === 'unavailable')).toBe(true);
    expect(s3.asked.length).toBeGreaterThan(files);
    expect(s3.asked.length).toBeLessThan(2 * files); // the budget for trying again is used up before
  });

  it('remove parts that a crash left a day ago, and none that may be another instance’s', async () => {
    const begun = (id: string, hours: number) =>
      `<Upload><Key>file</Key><UploadId>${id}</UploadId><Initiated>${new Date(Date.now() - hours * 3_600_000).toISOString()}</Initiated></Upload>`;
    s3.instead = (what, response) => {
      if (/^GET \?.*uploads/.test(what)) response.end(`<ListMultipartUploadsResult>${begun('old', 25)}${begun('young', 23)}</ListMultipartUploadsResult>`);
      else if (what.startsWith('DELETE file')) response.writeHead(204).end();
      else return false;
      return true;
    };
    const { storage } = await s3.open();
    for await (const _ of storage.sweep()) void _;
    expect(asked().filter((what) => what.startsWith('DELETE'))).toEqual(['DELETE file?uploadId']);
  });
});
