/** S3 that throttles, fails, hangs up, or carries a request out and loses its answer: nothing is lost, nothing is half-visible. */
import { createHash, randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Storage, Volume } from '../../../server/files/storage/storage';
import { names, read, write } from '../../server/files/storage/conformance';
import { type Fate, openS3, type S3Kind, type S3Server, startS3 } from './servers';

const MIB = 1024 * 1024;
const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** The same fates in every run: a small generator with a fixed seed. */
function fates(shares: Partial<Record<Fate, number>>): () => Fate {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let at = state / 2 ** 32;
    for (const [fate, share] of Object.entries(shares)) {
      at -= share;
      if (at < 0) return fate as Fate;
    }
    return 'pass';
  };
}

describe.each<S3Kind>(['moto', 'versitygw'])('%s with a bad day', (kind) => {
  let server: S3Server;
  let storage: Storage;
  let volume: Volume;
  let bucket: string;
  const fresh = async (settings: Record<string, unknown> = {}, scanned = false) => {
    bucket = await server.newBucket();
    storage = openS3(server, bucket, { partBytes: 5 * MIB, ...settings }, scanned);
    volume = await storage.open({ user: 'demo', home: '/' });
  };
  beforeAll(async () => {
    server = await startS3(kind);
  });
  afterEach(async () => {
    server.judge = () => 'pass';
    await storage.close();
  });
  afterAll(() => server.stop());

  it.each([
    ['put straight into place', false],
    ['held back for a scanner', true],
  ])('has every file whole, also those in parts, appended to and renamed, when they are %s', async (_name, scanned) => {
    await fresh({}, scanned);
    const draw = fates({ throttle: 0.08, fail: 0.06, cut: 0.03, lost: 0.03 });
    server.judge = draw;
    const before = { ...server.fates };
    const wanted = new Map<string, string>();
    let visible = 0;
    let uploading = true;
    const watching = (async () => {
      for (let last = false; !last; ) {
        last = !uploading; // once more when all is there
        for (const name of await names(volume)) {
          const content = await read(volume, `/${name}`).catch((error: { code?: string }) => {
            // Renamed since it was listed; or appended to while it was read, which a reader is told rather than given a mixture.
            if (error.code !== 'not-found' && !(error.code === 'unavailable' && name.startsWith('step'))) throw error;
          });
          if (content && !name.startsWith('step')) expect([name, hashOf(content)]).toEqual([name, wanted.get(`/${name}`)]);
          visible += 1;
        }
      }
    })();
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const content = randomBytes(index % 6 === 0 ? 11 * MIB + index : 20_000 + index);
        if (index % 3 === 2) {
          const half = content.length >> 1;
          await write(volume, `/step-${index}`, content.subarray(0, half));
          await write(volume, `/step-${index}`, content.subarray(half), { kind: 'append' });
          wanted.set(`/moved-${index}`, hashOf(content));
          await volume.rename(`/step-${index}`, `/moved-${index}`);
        } else {
          wanted.set(`/file-${index}`, hashOf(content));
          await write(volume, `/file-${index}`, content, { kind: index % 3 === 0 ? 'replace' : 'create' });
        }
      }),
    );
    uploading = false;
    await watching;
    expect(new Set(await names(volume))).toEqual(new Set([...wanted.keys()].map((path) => path.slice(1))));
    for (const [path, hash] of wanted) expect(hashOf(await read(volume, path))).toBe(hash);
    expect(visible).toBeGreaterThan(0);
    for (const fate of ['throttle', 'fail', 'cut', 'lost'] as const) expect(server.fates[fate]).toBeGreaterThan(before[fate]);
  });

  it('refuses while S3 is down, keeps what was there, shows nothing of what failed, and goes on when it is back', async () => {
    await fresh({ attempts: 2 });
    await write(volume, '/old', 'old');
    const large = await volume.openWrite('/old', { kind: 'replace' });
    await large.write([Buffer.alloc(6 * MIB)]);
    server.judge = () => 'fail';
    await expect(volume.stat('/new')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(write(volume, '/new', 'new')).rejects.toMatchObject({ code: 'unavailable' });
    await large.write([Buffer.alloc(6 * MIB)]).catch(() => {});
    await expect(large.commit()).rejects.toMatchObject({ code: 'unavailable' });
    server.judge = () => 'pass';
    expect(await names(volume)).toEqual(['old']);
    expect((await read(volume, '/old')).toString()).toBe('old');
    await write(volume, '/new', 'new');
    expect(await names(volume)).toEqual(['new', 'old']);
  });

  it('refuses an append to what was changed meanwhile, and a name that was taken meanwhile', async () => {
    await fresh();
    await write(volume, '/log', randomBytes(6 * MIB));
    const [append, create] = [await volume.openWrite('/log', { kind: 'append' }), await volume.openWrite('/unique', { kind: 'create' })];
    await append.write([Buffer.from('more')]);
    await write(volume, '/log', 'other');
    await write(volume, '/unique', 'other');
    if (kind === 'versitygw') await expect(append.commit()).rejects.toMatchObject({ code: 'unavailable' });
    else await append.abort(); // moto does not know If-Match on CompleteMultipartUpload
    await expect(create.commit()).rejects.toMatchObject({ code: 'exists' });
    expect((await read(volume, '/log')).toString()).toBe('other');
  });

  it('lists more than a thousand files, and reads each of them', async () => {
    await fresh();
    await volume.mkdir('/many');
    let next = 0;
    const worker = async () => {
      for (let index = next++; index < 1_010; index = next++) {
        // Each upload looks at the folder first, and moto looks at every object of the bucket for that.
        if (kind === 'versitygw' || index % 10 === 0) await write(volume, `/many/${index}`, `content ${index}`);
        else await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: `many/${index}`, Body: `content ${index}` }));
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    const batches: number[] = [];
    for await (const batch of volume.list('/many')) batches.push(batch.length);
    expect(batches.reduce((sum, length) => sum + length)).toBe(1_010);
    expect(Math.max(...batches)).toBeLessThanOrEqual(1_000);
    next = 0;
    const reader = async () => {
      // moto is slow; what it keeps is shown by one in ten.
      const step = kind === 'versitygw' ? 1 : 10;
      for (let index = next; index < 1_010; index = next) {
        next += step;
        expect((await read(volume, `/many/${index}`)).toString()).toBe(`content ${index}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, reader));
  });
});
