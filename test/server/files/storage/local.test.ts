import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localStorage } from '../../../../server/files/storage/local/storage';
import type { Storage } from '../../../../server/files/storage/storage';
import { names, read, storageConformance, write } from './conformance';

const roots: string[] = [];
const storages: Storage[] = [];

async function storage(): Promise<{ root: string; storage: Storage }> {
  const root = await mkdtemp(join(tmpdir(), 'ftps-storage-'));
  roots.push(root);
  const opened = localStorage({ kind: 'local', root, fsync: false });
  storages.push(opened);
  return { root, storage: opened };
}

afterAll(async () => {
  await Promise.all(storages.map((one) => one.close()));
  await Promise.all(roots.map((root) => rm(root, { recursive: true, force: true })));
});

storageConformance('local disk', async (quota) => {
  const { storage: opened } = await storage();
  return {
    volume: await opened.open({ user: 'demo', home: '/', quota }),
    again: (account) => opened.open({ home: '/', ...account }),
    quarantine: opened.quarantine,
    retained: opened.retained,
    notes: opened.notes,
    stretches: opened.stretches,
    prepared: opened.prepared,
  };
});

describe('a home on the local disk', () => {
  it('is one account’s alone', async () => {
    const { storage: shared } = await storage();
    const [one, two] = [await shared.open({ user: 'one', home: '/one' }), await shared.open({ user: 'two', home: '/two' })];
    await write(one, '/file', 'mine');
    expect(await names(two)).toEqual([]);
    await expect(two.stat('/file')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('neither lists nor follows links, in the middle of a path or at its end', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/home' });
    await mkdir(join(root, 'outside'));
    await writeFile(join(root, 'outside/secret'), 'secret');
    await symlink(join(root, 'outside'), join(root, 'home/link'));
    await symlink(join(root, 'outside/secret'), join(root, 'home/file-link'));
    expect(await names(volume)).toEqual([]);
    await expect(volume.openRead('/link/secret', 0)).rejects.toThrow();
    await expect(volume.openRead('/file-link', 0)).rejects.toThrow();
    await expect(volume.openWrite('/link/new', { kind: 'replace' })).rejects.toThrow();
    await expect(volume.mkdir('/link/new')).rejects.toThrow();
    await expect(volume.openWrite('/file-link', { kind: 'append' })).rejects.toThrow();
    expect(await readdir(join(root, 'outside'))).toEqual(['secret']);
  });

  it('can not be left by swapping a folder for a link while it is used', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/home' });
    await mkdir(join(root, 'outside'));
    await writeFile(join(root, 'outside/file'), 'secret');
    await volume.mkdir('/inner');
    await write(volume, '/inner/file', 'public');
    await symlink(join(root, 'outside'), join(root, 'link'));
    let stop = false;
    const swapping = (async () => {
      while (!stop) {
        await rename(join(root, 'home/inner'), join(root, 'kept'));
        await rename(join(root, 'link'), join(root, 'home/inner'));
        await rename(join(root, 'home/inner'), join(root, 'link'));
        await rename(join(root, 'kept'), join(root, 'home/inner'));
      }
    })();
    const seen = new Set<string>();
    for (let count = 0; count < 1_500; count += 1) seen.add(await read(volume, '/inner/file').then(String, () => 'refused'));
    stop = true;
    await swapping;
    expect(seen).toContain('public');
    expect(seen).not.toContain('secret');
  });

  it('lists a large folder in small batches', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/' });
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => writeFile(join(root, `file-${index}`), 'x'.repeat(index))));
    await symlink(join(root, 'file-1'), join(root, 'link'));
    const here = process.cwd();
    let batches = 0;
    const sizes = new Map<string, number>();
    for await (const batch of volume.list('/')) {
      batches += 1;
      for (const { name, size } of batch) sizes.set(name, size);
      expect(batch.length).toBeLessThanOrEqual(256);
    }
    expect(sizes).toEqual(new Map(Array.from({ length: 2_000 }, (_, index) => [`file-${index}`, index])));
    expect(batches).toBeGreaterThan(7);
    expect(process.cwd()).toBe(here);
  });

  it('lists a large folder also where the working directory is gone', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/' });
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => writeFile(join(root, `file-${index}`), '')));
    const here = process.cwd();
    const gone = await mkdtemp(join(tmpdir(), 'ftps-gone-'));
    process.chdir(gone);
    try {
      await rm(gone, { recursive: true });
      let entries = 0;
      for await (const batch of volume.list('/')) entries += batch.length;
      expect(entries).toBe(1_000);
    } finally {
      process.chdir(here);
    }
  });

  it('stops in the midst of a large folder when nobody wants the rest', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/' });
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => writeFile(join(root, `file-${index}`), '')));
    // Of this folder alone: what other homes of the process keep open is closed at any time.
    const open = () => readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`) === root).length;
    for await (const _ of volume.list('/'));
    const before = open();
    for await (const batch of volume.list('/')) if (batch.length > 0) break;
    expect(open()).toBeLessThanOrEqual(before);
  });
});

describe('what a crash leaves behind', () => {
  it('is swept when it belongs to nobody, and left alone while its process lives', async () => {
    const { root, storage: opened } = await storage();
    const volume = await opened.open({ user: 'demo', home: '/' });
    const unfinished = await volume.openWrite('/mine', { kind: 'replace' });
    const child: ChildProcess = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const [own] = await readdir(join(root, '.ftps-staging'));
    const [machine] = own!.split('.');
    await mkdir(join(root, '.ftps-staging', `${machine}.${child.pid}.1`));
    await writeFile(join(root, '.ftps-staging', `${machine}.${child.pid}.1`, 'left-over'), 'x');
    for await (const _ of opened.sweep());
    expect(await readdir(join(root, '.ftps-staging'))).toEqual([own]);
    await unfinished.write([Buffer.from('still here')]);
    await unfinished.commit();
    expect((await read(volume, '/mine')).toString()).toBe('still here');
    child.kill();
    await once(child, 'exit');
  });
});
