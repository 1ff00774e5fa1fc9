/** Small uploads in a row, which a thread puts into place. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Folder } from '../../../../server/files/storage/local/folder';
import { localStorage } from '../../../../server/files/storage/local/storage';
import { putWhole } from '../../../../server/files/storage/local/whole-files';
import type { Storage, Volume } from '../../../../server/files/storage/storage';

let root: string;
let storage: Storage;
let volume: Volume;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ftps-whole-'));
  storage = localStorage({ kind: 'local', root, fsync: true });
  volume = await storage.open({ user: 'demo', home: '/home' });
});
afterEach(async () => {
  await storage.close();
  await rm(root, { recursive: true, force: true });
});

async function put(path: string, content: string, mayAppear?: () => void): Promise<void> {
  const target = await volume.openWrite(path, { kind: 'replace' });
  await target.write([Buffer.from(content.slice(0, 3)), Buffer.from(content.slice(3))], true);
  await target.commit(undefined, mayAppear);
}
const staged = async () => (await readdir(join(root, '.ftps-staging'), { recursive: true })).filter((name) => name.includes('/'));

it('are whole, replace what was there, and leave nothing in staging, one by one and many at once', async () => {
  for (let index = 0; index < 8; index += 1) await put(`/${index}`, `one ${index}`);
  await Promise.all(Array.from({ length: 16 }, (_, index) => put(`/${index}`, `another ${index}`)));
  for (let index = 0; index < 16; index += 1) expect(await readFile(join(root, 'home', String(index)), 'utf8')).toBe(`another ${index}`);
  expect((await stat(join(root, 'home/1'))).mode & 0o777).toBe(0o640);
  expect(await staged()).toEqual([]);
});

it('do not appear where they may not, and what was there stays', async () => {
  for (const content of ['first', 'second']) await put('/file', content);
  const refusal = new Error('going down');
  const refused = put('/file', 'third', () => {
    throw refusal;
  });
  await expect(refused).rejects.toBe(refusal);
  expect(await readFile(join(root, 'home/file'), 'utf8')).toBe('second');
  expect(await staged()).toEqual([]);
});

it('are whole as well where more comes than was said, and where they are given up nothing is left', async () => {
  await put('/before', 'row');
  const target = await volume.openWrite('/file', { kind: 'replace' });
  await target.write([Buffer.from('all, ')], true);
  await target.write([Buffer.from('and more')], true);
  await target.commit();
  expect(await readFile(join(root, 'home/file'), 'utf8')).toBe('all, and more');
  const other = await volume.openWrite('/other', { kind: 'replace' });
  await other.write([Buffer.from('given up')], true);
  await other.abort();
  expect(await readdir(join(root, 'home'))).toEqual(['before', 'file']);
  expect(await staged()).toEqual([]);
});

it('say what the disk says, and go through no link', async () => {
  await mkdir(join(root, 'staging'));
  const [staging, folder] = await Promise.all([Folder.open(join(root, 'staging')), Folder.open(join(root, 'home'))]);
  try {
    await mkdir(join(root, 'home/folder'));
    await expect(putWhole(staging, 'one', Uint8Array.from([1]), folder, 'folder')).rejects.toMatchObject({ code: 'is-directory' });
    await expect(putWhole(staging, 'one', Uint8Array.from([1]), folder, 'file')).rejects.toMatchObject({ code: 'exists' });
    await symlink(join(root, 'home/elsewhere'), join(root, 'staging/link'));
    await expect(putWhole(staging, 'link', Uint8Array.from([1]), folder, 'file')).rejects.toMatchObject({ code: 'exists' });
    await putWhole(staging, 'two', Uint8Array.from([2]), folder, 'file');
    expect(await readFile(join(root, 'home/file'))).toEqual(Buffer.from([2]));
  } finally {
    await Promise.all([staging.close(), folder.close()]);
  }
});
