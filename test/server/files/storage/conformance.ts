/** What every storage backend must do. Run it for a new one by calling this with a way to make an empty home. */
import { randomBytes } from 'node:crypto';
import {
  type Entry,
  type HomeRules,
  type Notes,
  type Prepared,
  type Quarantine,
  type RetainedAccounts,
  StorageError,
  type Stretches,
  type Volume,
  type WriteMode,
} from '../../../../server/files/storage/storage';

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

/** Bytes of all files in the home, as a client would find them. */
async function bytesIn(volume: Volume): Promise<number> {
  let sum = 0;
  for await (const batch of volume.list('/')) for (const { size } of batch) sum += size;
  return sum;
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

export interface TestHome {
  readonly volume: Volume;
  /** The same home for another account, or for the same one at its next login. */
  readonly again: (account: Pick<HomeRules, 'user' | 'quota' | 'overwrite'>) => Promise<Volume>;
  readonly quarantine: Quarantine;
  readonly retained: RetainedAccounts;
  readonly notes: Notes;
  readonly stretches: Stretches;
  readonly prepared: Prepared;
}

/** `home` makes an empty home for the user `demo`, in a storage whose uploads are scanned. */
export function storageConformance(name: string, home: (quota?: { bytes?: number; files?: number }) => Promise<TestHome>): void {
  describe(`storage: ${name}`, () => {
    let volume: Volume;
    let quarantine: Quarantine;
    beforeEach(async () => {
      ({ volume, quarantine } = await home());
    });

    it('gives back what was written, from any offset', async () => {
      const content = randomBytes(200_000);
      await write(volume, '/file', content);
      expect((await read(volume, '/file')).equals(content)).toBe(true);
      expect((await read(volume, '/file', 150_000)).equals(content.subarray(150_000))).toBe(true);
      expect(await volume.stat('/file')).toMatchObject({ name: 'file', type: 'file', size: 200_000 });
      await expect(volume.openRead('/file', 200_001)).rejects.toMatchObject({ code: 'offset' });
    });

    it('goes on reading from any byte, of the file that was opened', async () => {
      const content = randomBytes(200_000);
      await write(volume, '/file', content);
      const handle = await volume.openRead('/file', 0);
      const at = async (offset: number) => {
        await handle.seek(offset);
        const into = Buffer.alloc(10);
        return into.subarray(0, await handle.read(into));
      };
      for (const offset of [150_000, 0, 199_995, 100]) expect((await at(offset)).equals(content.subarray(offset, offset + 10))).toBe(true);
      expect((await at(200_000)).length).toBe(0);
      await handle.close();
    });

    it.each([
      ['small', 10],
      ['in many pieces', 20_000_000],
    ])('shows nothing of an upload, %s, that may not appear at its last moment', async (_size, bytes) => {
      await write(volume, '/kept', 'old');
      for (const path of ['/new', '/kept']) {
        const handle = await volume.openWrite(path, { kind: 'replace' });
        await handle.write([randomBytes(bytes)]);
        const refuse = () => {
          throw new StorageError('unavailable', 'Too late.');
        };
        await expect(handle.commit(undefined, refuse)).rejects.toMatchObject({ code: 'unavailable' });
      }
      expect(await names(volume)).toEqual(['kept']);
      expect((await read(volume, '/kept')).toString()).toBe('old');
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
      const odds = [
        'with blank',
        ' leading',
        '-dash',
        'ünïcödé 日本',
        'a"quote\'s',
        '*?[x]',
        '#%&;$(id)`',
        'a+b=c',
        '%41',
        'back\\slash',
        '<&>',
        'x'.repeat(255),
      ];
      for (const odd of odds) {
        await write(volume, `/${odd}`, odd);
        expect((await read(volume, `/${odd}`)).toString()).toBe(odd);
      }
      expect(await names(volume)).toEqual([...odds].sort());
      for (const odd of odds) await volume.rename(`/${odd}`, `/~${odd.slice(0, 200)}`);
      expect(await names(volume)).toEqual(odds.map((odd) => `~${odd.slice(0, 200)}`).sort());
      let deep = '';
      for (let level = 0; level < 40; level += 1) {
        deep += `/level${level}`;
        await volume.mkdir(deep);
      }
      await write(volume, `${deep}/file`, 'deep');
      expect((await read(volume, `${deep}/file`)).toString()).toBe('deep');
    });

    // versitygw ignores `encoding-type`, without which no answer in XML can name them; the names that a client can say are checked before a storage is asked.
    if (!name.startsWith('versitygw'))
      it('hides names with control characters, which other programs may have made', async () => {
        await write(volume, '/\u0001\t\u007f', 'odd');
        await write(volume, '/plain', 'x');
        expect(await names(volume)).toEqual(['plain']);
      });

    it('lets the last of several uploads of one name win, and mixes none', async () => {
      const contents = Array.from({ length: 6 }, (_, index) => Buffer.alloc(50_000 + index, index));
      const handles = await Promise.all(contents.map(() => volume.openWrite('/same', { kind: 'replace' })));
      await Promise.all(handles.map((handle, index) => handle.write([contents[index]!])));
      const seen: Buffer[] = [];
      for (const handle of handles) {
        await handle.commit();
        seen.push(await read(volume, '/same'));
      }
      expect(seen.map((content, index) => content.equals(contents[index]!))).toEqual(contents.map(() => true));
      const racing = await Promise.all(contents.map(() => volume.openWrite('/same', { kind: 'replace' })));
      await Promise.all(racing.map((handle, index) => handle.write([contents[index]!])));
      await Promise.all(racing.map((handle) => handle.commit()));
      const last = await read(volume, '/same');
      expect(contents.some((content) => content.equals(last))).toBe(true);
    });

    it('renames a folder with everything in it, keeps the times of files, and not into itself', async () => {
      await volume.mkdir('/old');
      await volume.mkdir('/old/inner');
      await write(volume, '/old/inner/file', 'content');
      await volume.setModified('/old/inner/file', new Date('2020-01-02T03:04:05Z'));
      await expect(volume.rename('/old', '/old/inner/deeper')).rejects.toMatchObject({ code: 'invalid-name' });
      await volume.rename('/old', '/new');
      expect(await names(volume)).toEqual(['new']);
      expect((await read(volume, '/new/inner/file')).toString()).toBe('content');
      expect((await volume.stat('/new/inner/file')).modified).toEqual(new Date('2020-01-02T03:04:05Z'));
    });

    it('keeps a folder from which the last file goes', async () => {
      await volume.mkdir('/folder');
      await write(volume, '/folder/one', 'x');
      await volume.remove('/folder/one');
      expect(await names(volume, '/folder')).toEqual([]);
      await volume.rmdir('/folder');
      await expect(names(volume, '/folder')).rejects.toMatchObject({ code: 'not-found' });
    });

    it('takes a file as a file and a folder as a folder', async () => {
      await volume.mkdir('/folder');
      await write(volume, '/file', 'x');
      await expect(volume.openRead('/folder', 0)).rejects.toMatchObject({ code: 'is-directory' });
      await expect(volume.openWrite('/folder', { kind: 'replace' })).rejects.toMatchObject({ code: 'is-directory' });
      await expect(volume.rmdir('/file')).rejects.toMatchObject({ code: 'not-directory' });
      await expect(names(volume, '/file')).rejects.toMatchObject({ code: 'not-directory' });
      expect(await volume.stat('/')).toMatchObject({ name: '/', type: 'directory' });
    });

    it('puts an upload away where no client can see it, and gives it back or deletes it', async () => {
      await write(volume, '/taken', 'old');
      const finding = { signature: 'Evil.Test', client: '192.0.2.1', session: 's' };
      for (const name of ['/taken', '/free', '/gone']) {
        const handle = await volume.openWrite(name, { kind: 'replace' });
        await handle.write([Buffer.from('EVIL')]);
        await handle.quarantine(finding);
      }
      expect(await names(volume)).toEqual(['taken']);
      const kept = await quarantine.list();
      expect(kept).toMatchObject(['/taken', '/free', '/gone'].map((path) => ({ state: 'infected', path, size: 4, user: 'demo', ...finding })));
      const [first, second, third] = kept.map(({ id }) => id);
      await expect(quarantine.release(first!)).rejects.toMatchObject({ code: 'exists' });
      await quarantine.release(second!);
      await quarantine.remove(third!);
      expect((await read(volume, '/free')).toString()).toBe('EVIL');
      expect((await quarantine.list()).map(({ path }) => path)).toEqual(['/taken']);
      await expect(quarantine.find('../../etc/passwd')).rejects.toMatchObject({ code: 'not-found' });
    });

    it('makes, lists, renames and removes', async () => {
      await volume.mkdir('/folder');
      await expect(volume.mkdir('/folder')).rejects.toMatchObject({ code: 'exists' });
      await write(volume, '/folder/file', 'x');
      await expect(volume.rmdir('/folder')).rejects.toMatchObject({ code: 'not-empty' });
      await volume.rename('/folder/file', '/moved');
      await expect(volume.rename('/moved', '/folder', { replace: true })).rejects.toMatchObject({ code: 'exists' });
      await expect(volume.rename('/folder', '/moved', { replace: true })).rejects.toMatchObject({ code: 'exists' });
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

    it('remembers which accounts have a retention, out of the sight of clients', async () => {
      const { retained } = await home();
      const [ann, odd] = [
        { user: 'ann', home: '/ann', retentionDays: 30, quota: { bytes: 5 } },
        { user: '../../é "x"', home: '/', retentionDays: 0.5 },
      ];
      const all = async () => {
        const found: string[] = [];
        for await (const { user, retentionDays } of retained.all()) found.push(`${user} ${retentionDays}`);
        return found.sort();
      };
      expect(await all()).toEqual([]);
      for (const account of [ann, odd, { ...ann, retentionDays: 60 }]) await retained.keep(account);
      expect(await all()).toEqual(['../../é "x" 0.5', 'ann 60']);
      await retained.forget('ann');
      await retained.forget('nobody');
      expect(await all()).toEqual(['../../é "x" 0.5']);
      await expect(volume.openWrite('/.ftps-retention/x', { kind: 'replace' })).rejects.toThrow();
    });

    it.each([0, 1, 70_000, 6 * 1024 * 1024])(
      'tells of an upload of %i bytes that was prepared whether it has appeared, also when it is gone again',
      async (bytes) => {
        const { volume, prepared } = await home();
        const content = randomBytes(bytes);
        const prepare = async () => {
          const upload = await volume.openWrite('/file', { kind: 'create' });
          if (bytes > 0) await upload.write([content], true);
          return { upload, id: (await upload.prepare()) ?? '' };
        };
        const first = await prepare();
        expect([await names(volume), await prepared.isWaiting(first.id)]).toEqual([[], true]);
        const second = await prepare();
        await first.upload.commit();
        expect([await names(volume), await prepared.isWaiting(first.id), await prepared.withdraw(first.id)]).toEqual([['file'], false, false]);
        expect((await read(volume, '/file')).equals(content)).toBe(true);
        await volume.remove('/file');
        expect(await prepared.isWaiting(first.id)).toBe(false);
        // What is given up waits until it is withdrawn, and never appears then.
        await second.upload.abort();
        expect([await prepared.isWaiting(second.id), await prepared.withdraw(second.id), await prepared.withdraw(second.id)]).toEqual([true, true, false]);
        const third = await prepare();
        expect(await prepared.withdraw(third.id)).toBe(true);
        await third.upload.commit().catch(() => {});
        expect(await names(volume)).toEqual([]);
        const taken = await prepare();
        await write(volume, '/file', 'somebody else was faster');
        await expect(taken.upload.commit()).rejects.toMatchObject({ code: 'exists' });
        expect(await prepared.withdraw(taken.id)).toBe(true);
      },
    );

    it('keeps notes, of which each name is given once, out of the sight of clients', async () => {
      const { notes } = await home();
      expect(await notes.read('links/a')).toBeUndefined();
      expect(await notes.list('links')).toEqual([]);
      const made = await Promise.all(Array.from({ length: 8 }, (_, index) => notes.create('links/a', `${index}`)));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(await notes.read('links/a')).toBe(String(made.indexOf(true)));
      for (const name of ['uses/a/0', 'uses/a/1', 'uses/ab/0']) expect(await notes.create(name, '')).toBe(true);
      expect((await notes.list('uses')).sort()).toEqual(['a/0', 'a/1', 'ab/0']);
      expect((await notes.list('uses/a')).sort()).toEqual(['0', '1']);
      await notes.remove('uses/a/0');
      await notes.remove('uses/a/0');
      expect(await notes.create('uses/a/0', '')).toBe(true);
      await notes.clear('uses/a');
      await notes.clear('uses/a');
      expect(await notes.list('uses')).toEqual(['ab/0']);
      await notes.replace('uses/ab/0', 'one');
      await notes.replace('uses/ab/0', 'two');
      expect(await notes.read('uses/ab/0')).toBe('two');
      for (const name of ['../a', 'a/../b', '/a', '.a', '']) await expect(async () => notes.read(name)).rejects.toThrow('is no name of a note');
      await expect(volume.openWrite('/.ftps-notes/x', { kind: 'replace' })).rejects.toThrow();
    });

    it('keeps stretches of what is long, each whole and of its own name, out of the sight of clients', async () => {
      const { stretches } = await home();
      expect([await stretches.read('long/a/0-0'), await stretches.list('long')]).toEqual([undefined, []]);
      const [one, other] = [randomBytes(1024 * 1024), randomBytes(1000)];
      const made = await Promise.all([one, other].map((bytes) => stretches.create('long/a/0-0', bytes)));
      expect(made.filter(Boolean)).toHaveLength(1);
      const there = made[0] ? one : other;
      expect((await stretches.read('long/a/0-0'))!.equals(there)).toBe(true);
      expect(await stretches.create('long/b/0-0', other)).toBe(true);
      expect((await stretches.list('long')).map(({ name, bytes }) => [name, bytes]).sort()).toEqual([
        ['a/0-0', there.length],
        ['b/0-0', other.length],
      ]);
      await stretches.clear('long/a');
      await stretches.clear('long/a');
      expect((await stretches.list('long')).map(({ name }) => name)).toEqual(['b/0-0']);
      expect((await stretches.room()) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(0);
      await expect(async () => stretches.read('../a')).rejects.toThrow('is no name of a note');
    });

    it('holds a quota of bytes and files, also against uploads side by side', async () => {
      const { volume: small } = await home({ bytes: 100, files: 3 });
      const [one, two] = [await small.openWrite('/one', { kind: 'replace' }), await small.openWrite('/two', { kind: 'replace' })];
      await one.write([Buffer.alloc(60)]);
      await expect(two.write([Buffer.alloc(60)])).rejects.toMatchObject({ code: 'quota' });
      await two.abort();
      await one.commit();
      await write(small, '/two', Buffer.alloc(40));
      await expect(write(small, '/three', 'x')).rejects.toMatchObject({ code: 'quota' });
      expect(await small.available()).toBe(0);
      await small.remove('/one');
      expect(await small.available()).toBe(60);
      await write(small, '/three', Buffer.alloc(60));
      await write(small, '/three', Buffer.alloc(50));
      await write(small, '/four', Buffer.alloc(1));
      expect(await small.available()).toBe(0); // of files, though bytes are left
      await expect(small.openWrite('/five', { kind: 'replace' })).rejects.toMatchObject({ code: 'quota' });
    });

    it('lets a file take the place of a file by a rename, where that is asked for, and gives the room back', async () => {
      const { volume: small } = await home({ bytes: 100, files: 3 });
      await write(small, '/report', Buffer.alloc(40, 'o'));
      await write(small, '/report.partial', Buffer.alloc(50, 'n'));
      await expect(small.rename('/report.partial', '/report')).rejects.toMatchObject({ code: 'exists' });
      expect(await small.rename('/report.partial', '/report', { replace: true })).toBe('replaced');
      expect(await names(small)).toEqual(['report']);
      expect((await read(small, '/report')).toString()).toBe('n'.repeat(50));
      expect(await small.available()).toBe(50);
      expect(await small.rename('/report', '/report', { replace: true })).toBe('renamed');
      expect(await small.rename('/report', '/elsewhere', { replace: true })).toBe('renamed');
      expect((await read(small, '/elsewhere')).length).toBe(50);
      expect(await small.available()).toBe(50);
    });

    it('keeps what is there where the account may not overwrite', async () => {
      const { volume: all, again } = await home();
      await write(all, '/there', 'first');
      const box = await again({ user: 'box', overwrite: false });
      await expect(box.openWrite('/there', { kind: 'replace' })).rejects.toMatchObject({ code: 'exists' });
      await expect(box.openWrite('/there', { kind: 'append' })).rejects.toMatchObject({ code: 'exists' });
      await expect(box.openWrite('/there', { kind: 'resume', offset: 2 })).rejects.toMatchObject({ code: 'exists' });
      await write(box, '/new', 'second');
      await expect(box.rename('/new', '/there', { replace: true })).rejects.toMatchObject({ code: 'exists' });
      const [one, two] = [await box.openWrite('/raced', { kind: 'replace' }), await box.openWrite('/raced', { kind: 'append' })];
      await one.write([Buffer.from('one')]);
      await two.write([Buffer.from('two')]);
      await one.commit();
      await expect(two.commit()).rejects.toMatchObject({ code: 'exists' });
      expect(await Promise.all(['/there', '/new', '/raced'].map(async (path) => (await read(box, path)).toString()))).toEqual(['first', 'second', 'one']);
    });

    it('holds a quota against uploads of one name side by side, removed and renamed beside them', async () => {
      const { volume: small } = await home({ bytes: 100 });
      await write(small, '/same', Buffer.alloc(60));
      for (let round = 0; round < 4; round += 1) {
        const handles = await Promise.all(Array.from({ length: 8 }, () => small.openWrite('/same', { kind: 'replace' })));
        await Promise.allSettled([
          ...handles.map(async (handle) => {
            try {
              await handle.write([Buffer.alloc(60)]);
            } catch {
              return handle.abort();
            }
            return handle.commit();
          }),
          small.rename('/same', `/other-${round}`),
          small.remove('/same'),
        ]);
        // What is not there any more was given back, and no more than that.
        expect(await bytesIn(small)).toBeLessThanOrEqual(100);
        expect(await small.available()).toBe(100 - (await bytesIn(small)));
      }
    });

    it('charges what waits in staging, kept beginnings included, but for the room of the file that is replaced', async () => {
      const { volume: small } = await home({ bytes: 100 });
      await write(small, '/log', Buffer.alloc(60));
      const handles = await Promise.all(Array.from({ length: 4 }, () => small.openWrite('/log', { kind: 'append' })));
      expect(await small.available()).toBe(40); // nothing is copied before something is written
      const written = await Promise.allSettled(handles.map((handle) => handle.write([Buffer.alloc(1)])));
      expect(written.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
      await Promise.all(handles.map((handle) => handle.abort()));
      expect(await small.available()).toBe(40);
    });

    it('counts a home once for all accounts that share it, and a changed quota at the next login', async () => {
      const { volume: one, again } = await home({ bytes: 100 });
      await write(one, '/first', Buffer.alloc(40));
      const two = await again({ user: 'two', quota: { bytes: 50 } });
      expect(await two.available()).toBe(10);
      await expect(write(two, '/second', Buffer.alloc(20))).rejects.toMatchObject({ code: 'quota' });
      const raised = await again({ user: 'two', quota: { bytes: 70 } });
      await write(raised, '/second', Buffer.alloc(20));
      await write(two, '/third', Buffer.alloc(5)); // also for a session from before
      expect(await one.available()).toBe(35);
    });

    it('changes nothing by an append or a continued upload that brings no byte', async () => {
      await write(volume, '/log', 'one two');
      await (await volume.openWrite('/log', { kind: 'append' })).commit();
      await (await volume.openWrite('/log', { kind: 'resume', offset: 7 })).commit();
      expect((await read(volume, '/log')).toString()).toBe('one two');
      await (await volume.openWrite('/log', { kind: 'resume', offset: 3 })).commit();
      expect((await read(volume, '/log')).toString()).toBe('one');
    });

    it('refuses what lies deeper than a hundred names', async () => {
      const parts = Array.from({ length: 101 }, () => 'd');
      await expect(volume.mkdir(`/${parts.join('/')}`)).rejects.toMatchObject({ code: 'invalid-name' });
      await expect(volume.openWrite(`/${parts.join('/')}`, { kind: 'replace' })).rejects.toMatchObject({ code: 'invalid-name' });
      let deep = '';
      for (let level = 0; level < 60; level += 1) {
        deep += '/d';
        await volume.mkdir(deep);
      }
      await volume.mkdir('/e');
      await volume.rename('/d', '/e/d');
      await expect(volume.rename('/e', `/e/${parts.slice(0, 50).join('/')}/e`)).rejects.toThrow();
      await volume.mkdir('/f');
      await write(volume, '/f/file', 'x');
      await volume.rename('/f', `/e${deep.slice(0, 40)}/f`);
      let other = '';
      for (let level = 0; level < 60; level += 1) {
        other += '/o';
        await volume.mkdir(other);
      }
      await expect(volume.rename('/o', `/e${deep}/o`)).rejects.toMatchObject({ code: 'invalid-name' });
      expect((await names(volume)).sort()).toEqual(['e', 'o']);
    });
  });
}
