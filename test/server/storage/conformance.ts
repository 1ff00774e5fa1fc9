/** What every storage backend must do. Run it for a new one by calling this with a way to make an empty home. */
import { randomBytes } from 'node:crypto';
import type { Entry, Volume, WriteMode } from '../../../server/storage/storage';

export async function write(volume: Volume, path: string, content: Buffer | string, mode: WriteMode = { kind: 'replace' }): Promise<void> {
  const handle = await volume.openWrite(path, mode);
  try {
    await handle.write([Buffer.from(content)]);
  } catch (error) {
    await handle.abort();
    throw error;
  }
  await handle.commit();
}

export async function read(volume: Volume, path: string, offset = 0): Promise<Buffer> {
  const handle = await volume.openRead(path, offset);
  const chunks: Buffer[] = [];
  for (;;) {
    const into = Buffer.alloc(65_536);
    const filled = await handle.read(into);
    if (filled === 0) break;
    chunks.push(into.subarray(0, filled));
  }
  await handle.close();
  return Buffer.concat(chunks);
}

export async function names(volume: Volume, path = '/'): Promise<string[]> {
  const entries: Entry[] = [];
  for await (const batch of volume.list(path)) entries.push(...batch);
  return entries.map(({ name }) => name).sort();
}

export function storageConformance(name: string, home: (quota?: { bytes?: number; files?: number }) => Promise<Volume>): void {
  describe(`storage: ${name}`, () => {
    let volume: Volume;
    beforeEach(async () => {
      volume = await home();
    });

    it('gives back what was written, from any offset', async () => {
      const content = randomBytes(200_000);
      await write(volume, '/file', content);
      expect((await read(volume, '/file')).equals(content)).toBe(true);
      expect((await read(volume, '/file', 150_000)).equals(content.subarray(150_000))).toBe(true);
      expect(await volume.stat('/file')).toMatchObject({ name: 'file', type: 'file', size: 200_000 });
      await expect(volume.openRead('/file', 200_001)).rejects.toMatchObject({ code: 'offset' });
    });

    it('shows an upload only when it is committed, and never when it is aborted', async () => {
      await write(volume, '/kept', 'old');
      const first = await volume.openWrite('/new', { kind: 'replace' });
      const second = await volume.openWrite('/kept', { kind: 'replace' });
      await first.write([Buffer.from('new')]);
      await second.write([Buffer.from('changed')]);
      expect(await names(volume)).toEqual(['kept']);
      expect((await read(volume, '/kept')).toString()).toBe('old');
      await first.commit();
      await second.abort();
      expect(await names(volume)).toEqual(['kept', 'new']);
      expect((await read(volume, '/kept')).toString()).toBe('old');
    });

    it('appends and resumes without touching what was there until the commit', async () => {
      await write(volume, '/log', 'one two');
      const append = await volume.openWrite('/log', { kind: 'append' });
      await append.write([Buffer.from(' three')]);
      expect((await read(volume, '/log')).toString()).toBe('one two');
      await append.commit();
      expect((await read(volume, '/log')).toString()).toBe('one two three');
      await write(volume, '/log', 'TWO', { kind: 'resume', offset: 4 });
      expect((await read(volume, '/log')).toString()).toBe('one TWO');
      await expect(volume.openWrite('/log', { kind: 'resume', offset: 99 })).rejects.toMatchObject({ code: 'offset' });
    });

    it('lets one of two uploads create a name', async () => {
      const [one, two] = [await volume.openWrite('/unique', { kind: 'create' }), await volume.openWrite('/unique', { kind: 'create' })];
      await one.write([Buffer.from('one')]);
      await two.write([Buffer.from('two')]);
      await one.commit();
      await expect(two.commit()).rejects.toMatchObject({ code: 'exists' });
      expect((await read(volume, '/unique')).toString()).toBe('one');
    });

    it('takes names with any byte that is allowed, and deep paths', async () => {
      for (const odd of ['with blank', ' leading', '-dash', 'ünïcödé 日本', 'a"quote\'s', '*?[x]', '#%&;$(id)`', 'x'.repeat(255)]) {
        await write(volume, `/${odd}`, odd);
        expect((await read(volume, `/${odd}`)).toString()).toBe(odd);
      }
      let deep = '';
      for (let level = 0; level < 40; level += 1) {
        deep += `/level${level}`;
        await volume.mkdir(deep);
      }
      await write(volume, `${deep}/file`, 'deep');
      expect((await read(volume, `${deep}/file`)).toString()).toBe('deep');
    });

    it('makes, lists, renames and removes', async () => {
      await volume.mkdir('/folder');
      await expect(volume.mkdir('/folder')).rejects.toMatchObject({ code: 'exists' });
      await write(volume, '/folder/file', 'x');
      await expect(volume.rmdir('/folder')).rejects.toMatchObject({ code: 'not-empty' });
      await volume.rename('/folder/file', '/moved');
      await expect(volume.rename('/moved', '/folder')).rejects.toMatchObject({ code: 'exists' });
      await expect(volume.remove('/folder')).rejects.toMatchObject({ code: 'is-directory' });
      await volume.rmdir('/folder');
      await volume.remove('/moved');
      expect(await names(volume)).toEqual([]);
    });

    it('sets the time of a file', async () => {
      await write(volume, '/file', 'x');
      await volume.setModified('/file', new Date('2020-01-02T03:04:05Z'));
      expect((await volume.stat('/file')).modified).toEqual(new Date('2020-01-02T03:04:05Z'));
    });

    it.each([
      ['stat', (v: Volume) => v.stat('/missing')],
      ['openRead', (v: Volume) => v.openRead('/missing', 0)],
      ['openWrite', (v: Volume) => v.openWrite('/missing/file', { kind: 'replace' })],
      ['rename', (v: Volume) => v.rename('/missing', '/other')],
      ['remove', (v: Volume) => v.remove('/missing')],
      ['rmdir', (v: Volume) => v.rmdir('/missing')],
      ['list', (v: Volume) => names(v, '/missing')],
    ])('says that nothing is there: %s', async (_name, ask) => {
      await expect(ask(volume)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('holds a quota of bytes and files, also against uploads side by side', async () => {
      const small = await home({ bytes: 100, files: 3 });
      const [one, two] = [await small.openWrite('/one', { kind: 'replace' }), await small.openWrite('/two', { kind: 'replace' })];
      await one.write([Buffer.alloc(60)]);
      await expect(two.write([Buffer.alloc(60)])).rejects.toMatchObject({ code: 'quota' });
      await two.abort();
      await one.commit();
      await write(small, '/two', Buffer.alloc(40));
      await expect(write(small, '/three', 'x')).rejects.toMatchObject({ code: 'quota' });
      await small.remove('/one');
      await write(small, '/three', Buffer.alloc(60));
      await write(small, '/three', Buffer.alloc(50));
      await write(small, '/four', Buffer.alloc(1));
      await expect(small.openWrite('/five', { kind: 'replace' })).rejects.toMatchObject({ code: 'quota' });
    });
  });
}
