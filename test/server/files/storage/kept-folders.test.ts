import { createHook } from 'node:async_hooks';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptFolders } from '../../../../server/files/storage/local/kept-folders';
import { RecentLooks } from '../../../../server/files/storage/local/recent-looks';
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

describe('small files in a folder that was used a moment ago', () => {
  /** How often the thread pool is woken, while that is done: what it is asked for at once counts once. */
  async function trips(act: () => Promise<unknown>): Promise<number> {
    let count = 0;
    let isAsking = false;
    const hook = createHook({
      init(_id, type) {
        if (!/^(FSREQ|FILEHANDLECLOSEREQ)/.test(type) || isAsking) return;
        count += 1;
        isAsking = true;
        queueMicrotask(() => {
          isAsking = false;
        });
      },
    }).enable();
    try {
      await act();
      return count;
    } finally {
      hook.disable();
    }
  }

  it('take one trip to the thread pool each to come and two to go', async () => {
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
      const names = Array.from({ length: 32 }, (_, index) => `/in/${String(index).padStart(2, '0')}`);
      await put('/in/first');
      await get('/in/first');
      const all = (act: (path: string) => Promise<void>) => async () => {
        for (const name of names) await act(name);
      };
      // A look at what has the name; all else is one message to a thread, but for the first.
      expect(await trips(all(put))).toBeLessThan(names.length * 2);
      // Open and read; where the disk is not this machine's, a look and a close as well.
      expect(await trips(all(get))).toBeLessThanOrEqual(names.length * 4);
      expect((await readdir(join(root, 'home/in'))).sort()).toEqual([...names.map((name) => name.slice(4)), 'first']);
    } finally {
      await storage.close();
    }
    expect(await readdir(join(root, '.ftps-staging'))).toEqual([]);
  });

  it('take no trip to begin with where one has just come, and only their content one to go where they were looked at', async () => {
    const names = Array.from({ length: 32 }, (_, index) => `/in/${index}`);
    /** Of all together, to come and to go. */
    const tripsOfAll = async () => {
      const storage = localStorage({ kind: 'local', root, fsync: true });
      try {
        const volume = await storage.open({ user: 'demo', home: '/home' });
        const put = async (path: string) => {
          const target = await volume.openDraftable(path, { kind: 'replace' }, { whole: false });
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
        await put('/in/second');
        const all = (act: (path: string) => Promise<void>) => async () => {
          for (const name of names) await act(name);
        };
        return [await trips(all(put)), await trips(all(get))] as const;
      } finally {
        await storage.close();
      }
    };
    // A machine that is too busy for a while looks as if memory were slow.
    const tries = [await tripsOfAll(), await tripsOfAll(), await tripsOfAll()];
    // A thread of its own does all else.
    expect(Math.min(...tries.map(([puts]) => puts))).toBeLessThan(names.length / 2);
    expect(Math.min(...tries.map(([, gets]) => gets))).toBeLessThan(names.length * 1.5);
  });

  it('are still told from folders and links', async () => {
    const storage = localStorage({ kind: 'local', root, fsync: true });
    try {
      const volume = await storage.open({ user: 'demo', home: '/home' });
      const put = async (path: string) => {
        const target = await volume.openDraftable(path, { kind: 'replace' }, { whole: false });
        await target.write([Buffer.from('x')], true);
        await target.commit();
      };
      await put('/in/first');
      await mkdir(join(root, 'home/in/folder'));
      await writeFile(join(root, 'outside'), 'outside');
      await symlink(join(root, 'outside'), join(root, 'home/in/link'));
      await expect(put('/in/folder')).rejects.toMatchObject({ code: 'is-directory' });
      await expect(put('/in/link')).rejects.toMatchObject({ code: 'denied' });
      // The look before has shown what it is; what came in its place since is not followed.
      await volume.stat('/in/first');
      await rm(join(root, 'home/in/first'));
      await symlink(join(root, 'outside'), join(root, 'home/in/first'));
      await expect(volume.openRead('/in/first', 0)).rejects.toThrow();
      await rm(join(root, 'home/in/first'));
      await expect(volume.openRead('/in/first', 0)).rejects.toMatchObject({ code: 'not-found' });
    } finally {
      await storage.close();
    }
  });

  it('are left to the thread pool for a while once memory was twice slow in a row', () => {
    const looks = new RecentLooks();
    const slow = () => looks.by(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2));
    const quick = () => looks.by(() => {});
    const lookAround = () => {
      looks.add('one');
      looks.filled();
    };
    lookAround();
    expect([looks.has('one'), looks.isBeingFilled, looks.has('two')]).toEqual([true, true, false]);
    slow();
    expect([looks.has('one'), looks.isBeingFilled]).toEqual([false, false]);
    quick();
    slow();
    lookAround();
    expect([looks.has('one'), looks.isBeingFilled]).toEqual([true, true]);
    slow();
    lookAround();
    expect([looks.has('one'), looks.isBeingFilled]).toEqual([false, false]);
  });

  it('are looked at without a trip when they were looked at, or listed, a moment ago', async () => {
    const storage = localStorage({ kind: 'local', root, fsync: true });
    try {
      const volume = await storage.open({ user: 'demo', home: '/home' });
      await writeFile(join(root, 'home/in/one'), 'one');
      await writeFile(join(root, 'home/in/two'), 'two');
      const list = async () => {
        for await (const _ of volume.list('/in'));
      };
      await list();
      await volume.stat('/in/one');
      expect(await trips(() => volume.stat('/in/two'))).toBe(0);
      await writeFile(join(root, 'home/in/three'), 'three');
      expect((await volume.stat('/in/three')).size).toBe(5);
      await rm(join(root, 'home/in/one'));
      await expect(volume.stat('/in/one')).rejects.toMatchObject({ code: 'not-found' });
    } finally {
      await storage.close();
    }
  });
});
