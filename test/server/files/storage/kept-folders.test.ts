import { createHook } from 'node:async_hooks';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptFolders } from '../../../../server/files/storage/local/kept-folders';
import { localStorage } from '../../../../server/files/storage/local/storage';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ftps-kept-'));
  await mkdir(join(root, 'home/in'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a folder that was used a moment ago', () => {
  let folders: KeptFolders;
  beforeEach(() => {
    folders = new KeptFolders(root);
  });
  afterEach(() => folders.close());

  const namesIn = async (...parts: string[]) => {
    const folder = await folders.open(parts);
    try {
      return (await readdir(folder.at(''))).sort();
    } finally {
      await folder.close();
    }
  };

  it('is used again', async () => {
    const [first, second] = [await folders.open(['home', 'in']), await folders.open(['home', 'in'])];
    expect(second).toBe(first);
    await Promise.all([first.close(), second.close()]);
  });

  it('is another one as soon as another one has its path', async () => {
    await namesIn('home', 'in');
    await rename(join(root, 'home/in'), join(root, 'home/moved'));
    await expect(namesIn('home', 'in')).rejects.toMatchObject({ code: 'not-found' });
    await mkdir(join(root, 'home/in'));
    await writeFile(join(root, 'home/in/new'), '');
    expect(await namesIn('home', 'in')).toEqual(['new']);
    await rm(join(root, 'home/in'), { recursive: true });
    await mkdir(join(root, 'home/in'));
    expect(await namesIn('home', 'in')).toEqual([]);
  });

  it('is not reached through a link that has come into its path', async () => {
    await mkdir(join(root, 'outside/in'), { recursive: true });
    await namesIn('home', 'in');
    await rename(join(root, 'home'), join(root, 'kept'));
    await symlink(join(root, 'outside'), join(root, 'home'));
    await expect(namesIn('home', 'in')).rejects.toMatchObject({ code: 'not-directory' });
  });

  it('is closed when nobody keeps it, once it is used no more', async () => {
    const before = (await readdir('/proc/self/fd')).length;
    const folder = await folders.open(['home']);
    for (let index = 0; index < 100; index += 1) {
      await mkdir(join(root, 'home', String(index)));
      await namesIn('home', String(index));
    }
    expect((await readdir('/proc/self/fd')).length - before).toBeLessThanOrEqual(66);
    folders.close();
    expect(await readdir(folder.at(''))).toHaveLength(101);
    await folder.close();
    // The kept ones are closed by nobody who could be waited for.
    while ((await readdir('/proc/self/fd')).length > before) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('a small file in a folder that was used a moment ago', () => {
  /** How often the thread pool is asked for something, while that is done. */
  async function trips(act: () => Promise<unknown>): Promise<number> {
    let count = 0;
    const hook = createHook({
      init(_id, type) {
        if (/^(FSREQ|FILEHANDLECLOSEREQ)/.test(type)) count += 1;
      },
    }).enable();
    try {
      await act();
      return count;
    } finally {
      hook.disable();
    }
  }

  it('takes six trips to the thread pool to come, and four at most to go', async () => {
    const storage = localStorage({ kind: 'local', root, fsync: true });
    try {
      const volume = await storage.open({ user: 'demo', home: '/home' });
      const put = async (path: string) => {
        const target = await volume.openWrite(path, { kind: 'replace' });
        await target.write([Buffer.alloc(4_096, path)], true);
        await target.commit();
      };
      const get = async (path: string) => {
        const source = await volume.openRead(path, 0);
        const content = Buffer.alloc(4_096);
        expect(await source.read(content)).toBe(4_096);
        expect(content.equals(Buffer.alloc(4_096, path))).toBe(true);
        await source.close();
      };
      await put('/in/first');
      await get('/in/first');
      // A look at what has the name, open, write through to the disk, close, rename, flush the folder.
      expect(await trips(() => put('/in/second'))).toBe(6);
      // Open, look (without a trip where the disk is this machine's), read, close.
      expect(await trips(() => get('/in/second'))).toBeLessThanOrEqual(4);
      expect((await readdir(join(root, 'home/in'))).sort()).toEqual(['first', 'second']);
    } finally {
      await storage.close();
    }
  });
});
