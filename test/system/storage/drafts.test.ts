/** Files in S3 that are written in no order. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccountFiles } from '../../../server/files/account-files';
import type { Storage } from '../../../server/files/storage/storage';
import { writtenAnywhere } from '../../server/files/written-anywhere';
import { type TestFiles, testFiles } from '../../server/support/files';
import { openS3, type S3Kind, type S3Server, startS3 } from './servers';

const MIB = 1024 * 1024;

describe.each<S3Kind>(['moto', 'versitygw'])('%s', (kind) => {
  let server: S3Server;
  let spool: string;
  let files: TestFiles;
  let account: AccountFiles;
  const storages: Storage[] = [];
  const open = async (settings: Record<string, unknown> = {}, scanned = false) => {
    const storage = openS3(server, await server.newBucket(), { spool, partBytes: 5 * MIB, ...settings }, scanned);
    storages.push(storage);
    return testFiles({ storage });
  };
  beforeAll(async () => {
    spool = mkdtempSync(join(tmpdir(), 'ftps-spool-'));
    server = await startS3(kind);
    files = await open();
    account = await files.open();
  });
  afterAll(async () => {
    await Promise.all(storages.map((one) => one.close()));
    await server.stop();
    rmSync(spool, { recursive: true, force: true });
  });

  writtenAnywhere(() => files, { far: 200_000, piece: 50_000, runs: 25 });
  describe('in parts', () => {
    let parts: TestFiles;
    beforeAll(async () => {
      // versitygw can't make a part of an object that was itself made of parts, unless it was copied since, as with a scanner.
      parts = await open({}, kind === 'versitygw');
    });
    writtenAnywhere(() => parts, { far: 14 * MIB, piece: 7 * MIB, runs: 6 });
  });

  const contentOf = async (path: string) => {
    const reading = await account.openReading('READ', path);
    const content = Buffer.alloc(reading.size);
    for (let at = 0; at < content.length; ) at += await reading.read(at, content.subarray(at));
    await reading.close();
    return content;
  };

  it('what left long ago can be changed in what was opened to be read, and is refused in words elsewhere', async () => {
    const bytes = randomBytes(70 * MIB);
    for (const read of [true, false]) {
      const writing = await account.openWriting('/large', { command: 'OPEN', existing: 'replace', read });
      for (let at = 0; at < bytes.length; at += MIB) await writing.write(at, bytes.subarray(at, at + MIB));
      await writing.write(10, Buffer.from('changed')).catch(() => {});
      const { outcome, reason } = await writing.commit();
      expect([outcome, reason]).toEqual(read ? ['success', undefined] : ['failure', expect.stringMatching(/too large to be changed/)]);
      bytes.write('changed', 10);
      expect((await contentOf('/large')).equals(bytes)).toBe(true);
    }
  });

  it('a spool that is full refuses drafts in words, and lets what is in order pass', async () => {
    const small = await open({ spoolBytes: 2 * MIB });
    const own = await small.open();
    const write = async (order: readonly number[]) => {
      const writing = await own.openWriting('/file', { command: 'OPEN', existing: 'replace' });
      for (const at of order) await writing.write(at * MIB, Buffer.alloc(MIB, 1)).catch(() => {});
      return writing.commit();
    };
    expect(await write([0, 1, 2, 3, 4, 5, 6])).toMatchObject({ outcome: 'success' });
    expect(await write([0, 1, 2, 3, 0])).toMatchObject({ outcome: 'failure', reason: expect.stringMatching(/too large to be changed/) });
    expect(await write([0, 0, 1, 2, 3])).toMatchObject({ outcome: 'failure', reason: expect.stringMatching(/no room now/) });
    expect(await write([0, 0, 1])).toMatchObject({ outcome: 'success' });
  });

  it('nothing lies in the spool by a name, and nothing is left in S3', async () => {
    for (const owner of readdirSync(join(spool, '.ftps-staging'))) expect(readdirSync(join(spool, '.ftps-staging', owner))).toEqual([]);
  });

  it('goes on with a file where only whole ones are taken', async () => {
    const guarded = await open({ release: 'guardduty' });
    const own = await guarded.open();
    const writing = await own.openWriting('/new', { command: 'OPEN', existing: 'replace' });
    await writing.write(0, Buffer.from('abc'));
    expect(await writing.commit()).toMatchObject({ outcome: 'success', held: true });
  });
});
