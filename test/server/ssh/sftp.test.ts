import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClamdPeer } from '../support/clamd';
import { type Sftp, type SftpServed, sftpServed } from './served';

let server: SftpServed;
let sftp: Sftp;
beforeAll(async () => {
  server = await sftpServed({}, [
    { user: 'demo', home: '/' },
    { user: 'small', home: '/small', quota: { bytes: 1_000 } },
    { user: 'reader', home: '/', permissions: ['read', 'list'] },
    { user: 'drop', home: '/drop', permissions: ['write'] },
  ]);
  sftp = await server.sftp();
});
afterAll(() => server.close());

const onDisk = (path: string) => readFileSync(join(server.files, path));

it('a file is put and got, byte for byte, and the audit has its hash, who and how', async () => {
  const content = randomBytes(3_000_000);
  await sftp.put('/a.bin', content);
  expect(onDisk('a.bin').equals(content)).toBe(true);
  expect((await sftp.get('/a.bin')).equals(content)).toBe(true);
  const put = await server.audit.next('transfer', ({ command, path }) => command === 'WRITE' && path === '/a.bin');
  expect(put).toMatchObject({
    transfer: 'upload',
    outcome: 'success',
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    encrypted: true,
    listener: 'sftp',
    user: 'demo',
  });
  expect(await server.audit.next('transfer', ({ command }) => command === 'READ')).toMatchObject({
    transfer: 'download',
    outcome: 'success',
    bytes: content.length,
  });
});

it('many small pieces at once, out of order within a window, make the same file', async () => {
  const content = randomBytes(2_000_000);
  const local = join(server.folder, 'local.bin');
  writeFileSync(local, content);
  await sftp.call('fastPut', local, '/fast.bin', { concurrency: 32, chunkSize: 20_000 });
  expect(onDisk('fast.bin').equals(content)).toBe(true);
  await sftp.call('fastGet', '/fast.bin', `${local}.back`, { concurrency: 64, chunkSize: 30_000 });
  expect(readFileSync(`${local}.back`).equals(content)).toBe(true);
});

it('a download goes on in the middle, and an upload at its end', async () => {
  await sftp.put('/half.txt', 'first half, ');
  await sftp.put('/half.txt', 'second half', 'r+', 12);
  expect(onDisk('half.txt').toString()).toBe('first half, second half');
  expect((await sftp.get('/half.txt', 12)).toString()).toBe('second half');
  await sftp.put('/half.txt', '!', 'a');
  expect(onDisk('half.txt').toString()).toBe('first half, second half!');
  await sftp.put('/half.txt', 'FIRST', 'r+', 0);
  expect(onDisk('half.txt').toString()).toBe('FIRST half, second half!');
});

it('what the client did not close never appears, and what was there stays', async () => {
  await sftp.put('/kept.txt', 'as it was');
  const other = await server.sftp();
  const handle = await other.call<Buffer>('open', '/kept.txt', 'w');
  await other.call('write', handle, Buffer.from('half'), 0, 4, 0);
  expect(onDisk('kept.txt').toString()).toBe('as it was');
  other.client.destroy();
  expect(await server.audit.next('transfer', ({ path, outcome }) => path === '/kept.txt' && outcome !== 'success')).toMatchObject({ outcome: 'aborted' });
  expect(onDisk('kept.txt').toString()).toBe('as it was');
});

it('folders are made, listed, renamed and removed', async () => {
  await sftp.call('mkdir', '/d');
  await sftp.put('/d/one.txt', '1');
  await sftp.put('/d/ein Stück Käse ☕.txt', '22');
  const names = await sftp.call<{ filename: string; longname: string; attrs: { size: number } }[]>('readdir', '/d');
  expect(names.map(({ filename, attrs }) => [filename, attrs.size]).sort()).toEqual([
    ['ein Stück Käse ☕.txt', 2],
    ['one.txt', 1],
  ]);
  expect(names[0]!.longname).toMatch(/^-rw-r--r-- {4}1 owner/);
  await expect(sftp.call('rmdir', '/d')).rejects.toThrow(/not empty/i);
  await sftp.call('rename', '/d/one.txt', '/d/two.txt');
  await sftp.put('/d/three.txt', '333');
  // SFTP's own rename replaces nothing, OpenSSH's does.
  await expect(sftp.call('rename', '/d/three.txt', '/d/two.txt')).rejects.toThrow();
  await sftp.call('ext_openssh_rename', '/d/three.txt', '/d/two.txt');
  expect(onDisk('d/two.txt').toString()).toBe('333');
  for (const { filename } of await sftp.call<{ filename: string }[]>('readdir', '/d')) await sftp.call('unlink', `/d/${filename}`);
  await sftp.call('rmdir', '/d');
  await expect(sftp.call('stat', '/d')).rejects.toMatchObject({ code: 2 });
  expect(server.audit.of('command').map(({ command }) => command)).toEqual(expect.arrayContaining(['MKDIR', 'RENAME', 'POSIX-RENAME', 'REMOVE', 'RMDIR']));
});

it('times are kept, also when they are said before the file is closed; modes and owners are passed over', async () => {
  const handle = await sftp.call<Buffer>('open', '/time.txt', 'w');
  await sftp.call('write', handle, Buffer.from('text'), 0, 4, 0);
  await sftp.call('fsetstat', handle, { mtime: 1_000_000_000, atime: 1_000_000_000, mode: 0o600 });
  await sftp.call('close', handle);
  expect(statSync(join(server.files, 'time.txt')).mtimeMs).toBe(1_000_000_000_000);
  await sftp.call('utimes', '/time.txt', 1_100_000_000, 1_100_000_000);
  expect(await sftp.call('stat', '/time.txt')).toMatchObject({ size: 4, mtime: 1_100_000_000 });
  await sftp.call('chmod', '/time.txt', 0o777);
});

describe('a file that is not written from its beginning to its end', () => {
  const write = (handle: Buffer, text: string, at: number) => sftp.call('write', handle, Buffer.from(text), 0, text.length, at);
  const read = async (handle: Buffer, bytes: number, at: number) => {
    const into = Buffer.alloc(bytes);
    const got = await sftp.call<number>('read', handle, into, 0, bytes, at);
    return into.subarray(0, got).toString();
  };

  it('r+: what was written is read back, and the rest of the old file stays', async () => {
    await sftp.put('/edited.txt', '0123456789');
    const handle = await sftp.call<Buffer>('open', '/edited.txt', 'r+');
    expect(await read(handle, 4, 3)).toBe('3456');
    await write(handle, 'ABC', 4);
    await write(handle, 'x', 1);
    expect(await read(handle, 20, 0)).toBe('0x23ABC789');
    await write(handle, 'end', 12);
    expect(await sftp.call('fstat', handle)).toMatchObject({ size: 15 });
    expect(await sftp.call('stat', '/edited.txt')).toMatchObject({ size: 15 });
    expect(onDisk('edited.txt').toString()).toBe('0123456789');
    await sftp.call('close', handle);
    expect(onDisk('edited.txt').toString()).toBe('0x23ABC789\0\0end');
    await expect(sftp.call('open', '/missing.txt', 'r+')).rejects.toMatchObject({ code: 2 });
  });

  it('what was opened to be written alone can not be read', async () => {
    const handle = await sftp.call<Buffer>('open', '/edited.txt', 'w');
    await expect(read(handle, 4, 0)).rejects.toMatchObject({ code: 3 });
    await sftp.call('close', handle);
  });

  it('a header that is written last', async () => {
    const handle = await sftp.call<Buffer>('open', '/archive.zip', 'w');
    for (let at = 0; at < 2_000_000; at += 100_000) await sftp.call('write', handle, Buffer.alloc(100_000, 1), 0, 100_000, at);
    await write(handle, 'HEAD', 0);
    await sftp.call('close', handle);
    expect(onDisk('archive.zip').equals(Buffer.concat([Buffer.from('HEAD'), Buffer.alloc(1_999_996, 1)]))).toBe(true);
    expect(await server.audit.next('transfer', ({ path }) => path === '/archive.zip')).toMatchObject({
      bytes: 2_000_004,
      sha256: createHash('sha256').update(onDisk('archive.zip')).digest('hex'),
    });
  });

  it('what scp does: written without TRUNC, and cut where it ends', async () => {
    await sftp.put('/longer.txt', 'what was there was longer');
    const handle = await sftp.call<Buffer>('open', '/longer.txt', 0x0a); // WRITE and CREAT
    await write(handle, 'short', 0);
    await sftp.call('fsetstat', handle, { size: 5 });
    await sftp.call('close', handle);
    expect(onDisk('longer.txt').toString()).toBe('short');
  });

  it('it is cut and lengthened by its path, open or not', async () => {
    await sftp.put('/cut.txt', '0123456789');
    await sftp.call('setstat', '/cut.txt', { size: 4 });
    expect(onDisk('cut.txt').toString()).toBe('0123');
    await sftp.call('setstat', '/cut.txt', { size: 6 });
    expect(onDisk('cut.txt').toString()).toBe('0123\0\0');
    expect(await server.audit.next('transfer', ({ command }) => command === 'SETSTAT')).toMatchObject({ path: '/cut.txt', outcome: 'success' });
    const handle = await sftp.call<Buffer>('open', '/cut.txt', 'r+');
    await sftp.call('setstat', '/cut.txt', { size: 1 });
    await sftp.call('close', handle);
    expect(onDisk('cut.txt').toString()).toBe('0');
    await expect(sftp.call('setstat', '/missing.txt', { size: 1 })).rejects.toMatchObject({ code: 2 });
    await expect(sftp.call('setstat', '/cut.txt', { size: 2 ** 50 })).rejects.toThrow(/full|too large/);
    expect(onDisk('cut.txt').toString()).toBe('0');
  });

  it('what sshfs does: looked at by its path before anything is written, and renamed before it is closed', async () => {
    await sftp.put('/document.txt', 'old');
    const handle = await sftp.call<Buffer>('open', '/document.txt~', 'wx+');
    expect(await sftp.call('lstat', '/document.txt~')).toMatchObject({ size: 0 });
    await write(handle, 'new', 0);
    await sftp.call('ext_openssh_rename', '/document.txt~', '/document.txt');
    expect(onDisk('document.txt').toString()).toBe('new');
    await expect(write(handle, 'more', 3)).rejects.toThrow('renamed');
    await sftp.call('close', handle);
    expect(existsSync(join(server.files, 'document.txt~'))).toBe(false);
  });

  it('nothing tells of REST or any other command of FTP', async () => {
    await sftp.put('/short.txt', 'abc');
    const small = await server.sftp({ username: 'small' });
    const handle = await small.call<Buffer>('open', '/hole.txt', 'w');
    await small.call('write', handle, Buffer.from('x'), 0, 1, 2_000);
    await expect(small.call('close', handle)).rejects.toThrow('The quota');
  });
});

it('a file is copied on the server, whole and in part, and is told', async () => {
  await sftp.put('/original.txt', '0123456789');
  const [source, copy] = [await sftp.call<Buffer>('open', '/original.txt', 'r'), await sftp.call<Buffer>('open', '/copy.txt', 'w')];
  await sftp.call('ext_copy_data', source, 0, 0, copy, 0);
  await sftp.call('ext_copy_data', source, 8, 2, copy, 0);
  await expect(sftp.call('ext_copy_data', source, 8, 5, copy, 10)).rejects.toMatchObject({ code: 1 });
  await expect(sftp.call('ext_copy_data', copy, 0, 0, copy, 0)).rejects.toThrow('onto itself');
  await expect(sftp.call('ext_copy_data', copy, 0, 0, source, 0)).rejects.toMatchObject({ code: 3 });
  for (const handle of [source, copy]) await sftp.call('close', handle);
  expect(onDisk('copy.txt').toString()).toBe('892345678989');
  expect(server.audit.of('command').find(({ command }) => command === 'COPY-DATA')).toMatchObject({ path: '/copy.txt', code: 0 });
  const small = await server.sftp({ username: 'small' });
  await small.put('/fits.bin', Buffer.alloc(400));
  const [from, to] = [await small.call<Buffer>('open', '/fits.bin', 'r'), await small.call<Buffer>('open', '/twice.bin', 'w')];
  for (const at of [0, 400]) await small.call('ext_copy_data', from, 0, 0, to, at).catch(() => {});
  await expect(small.call('close', to)).rejects.toThrow('quota');
});

it('what can not be here is refused: a second name for a file', async () => {
  await sftp.put('/one.txt', '1');
  await expect(sftp.call('ext_openssh_hardlink', '/one.txt', '/two.txt')).rejects.toThrow('does not support');
  expect(existsSync(join(server.files, 'two.txt'))).toBe(false);
});

it('paths can not lead out, and what is no path is refused', async () => {
  expect(await sftp.call('realpath', '.')).toBe('/');
  expect(await sftp.call('realpath', '/x/../../../etc/passwd')).toBe('/etc/passwd');
  await expect(sftp.call('stat', '/../../../etc/passwd')).rejects.toMatchObject({ code: 2 });
  await expect(sftp.put('/a\nb', 'x')).rejects.toThrow();
  await expect(sftp.call('symlink', '/a.bin', '/link')).rejects.toMatchObject({ code: 8 });
});

it('what WinSCP does for an upload over a file that is there: a part under another name, its time, then the name', async () => {
  await sftp.put('/report.txt', 'of yesterday');
  const part = await sftp.call<Buffer>('open', '/report.txt.filepart', 'w');
  await sftp.call('write', part, Buffer.from('of today'), 0, 8, 0);
  await sftp.call('close', part);
  await sftp.call('setstat', '/report.txt.filepart', { mtime: 1_200_000_000, atime: 1_200_000_000, mode: 0o644 });
  await sftp.call('unlink', '/report.txt');
  await sftp.call('rename', '/report.txt.filepart', '/report.txt');
  expect(onDisk('report.txt').toString()).toBe('of today');
  expect(statSync(join(server.files, 'report.txt')).mtimeMs).toBe(1_200_000_000_000);
});

it('an open file tells its size and time', async () => {
  const handle = await sftp.call<Buffer>('open', '/half.txt', 'r');
  expect(await sftp.call('fstat', handle)).toMatchObject({ size: statSync(join(server.files, 'half.txt')).size });
  await sftp.call('close', handle);
});

it('what a client asks of the file system is answered', async () => {
  const space = await sftp.call<{ f_bavail: unknown }>('ext_openssh_statvfs', '/');
  expect(Number(space.f_bavail)).toBeGreaterThan(0);
});

it('an account may do what it may, and is told so', async () => {
  const reader = await server.sftp({ username: 'reader' });
  await expect(reader.put('/no.txt', 'x')).rejects.toMatchObject({ code: 3 });
  await expect(reader.call('unlink', '/a.bin')).rejects.toMatchObject({ code: 3 });
  expect((await reader.get('/half.txt')).length).toBeGreaterThan(0);
  const drop = await server.sftp({ username: 'drop' });
  await drop.put('/in.txt', 'mine');
  await expect(drop.call('readdir', '/')).rejects.toMatchObject({ code: 3 });
  await expect(drop.get('/in.txt')).rejects.toMatchObject({ code: 3 });
  expect(await drop.call('stat', '/in.txt')).toMatchObject({ size: 4 });
  expect(server.audit.of('command').find(({ command, path }) => command === 'REMOVE' && path === '/a.bin')).toMatchObject({ refused: true, code: 3 });
});

it('a quota ends an upload, and nothing of it is there', async () => {
  const small = await server.sftp({ username: 'small' });
  await expect(small.put('/big.bin', Buffer.alloc(5_000))).rejects.toThrow(/quota|more than/i);
  expect(existsSync(join(server.files, 'small/big.bin'))).toBe(false);
  await small.put('/fits.bin', Buffer.alloc(500));
});

it('an infected file is refused when it is closed, and never there', async () => {
  const clamd = await ClamdPeer.listen();
  const scanned = await sftpServed({ antivirus: { kind: 'clamd', socket: clamd.path } });
  try {
    const client = await scanned.sftp();
    await client.put('/good.txt', 'harmless');
    await expect(client.put('/bad.txt', 'EVIL')).rejects.toThrow('infected');
    expect(readdirSync(scanned.files).filter((name) => !name.startsWith('.'))).toEqual(['good.txt']);
    expect(await scanned.audit.next('transfer', ({ path }) => path === '/bad.txt')).toMatchObject({ outcome: 'failure', verdict: { result: 'infected' } });
  } finally {
    await scanned.close();
    await clamd.close();
  }
});

it('a session has so many files open, and no more', async () => {
  const greedy = await server.sftp();
  const handles: Buffer[] = [];
  for (let count = 0; count < 64; count += 1) handles.push(await greedy.call<Buffer>('open', '/half.txt', 'r'));
  await expect(greedy.call('open', '/half.txt', 'r')).rejects.toThrow('Too many files are open');
  await greedy.call('close', handles[0]);
  await greedy.call('close', await greedy.call('open', '/half.txt', 'r'));
  await greedy.end();
});

it('a server that goes down says what became of an upload that could not be kept', async () => {
  const own = await sftpServed({}, [{ user: 'demo', home: '/', quota: { bytes: 50 } }]);
  const client = await own.sftp();
  const handle = await client.call<Buffer>('open', '/torn.txt', 'w');
  await client.call('write', handle, Buffer.from('head'), 0, 4, 0);
  await client.call('write', handle, Buffer.from('tail'), 0, 4, 100);
  const drained = own.server.drain();
  await expect(client.call('close', handle)).rejects.toThrow('quota');
  await drained;
  expect(existsSync(join(own.files, 'torn.txt'))).toBe(false);
  await own.close();
});

it('a server that goes down lets an upload finish, and then says goodbye', async () => {
  const own = await sftpServed();
  const client = await own.sftp();
  const handle = await client.call<Buffer>('open', '/last.txt', 'w');
  await client.call('write', handle, Buffer.from('last'), 0, 4, 0);
  const drained = own.server.drain();
  await expect(client.call('open', '/more.txt', 'w')).rejects.toThrow();
  await client.call('close', handle);
  await drained;
  expect(readFileSync(join(own.files, 'last.txt')).toString()).toBe('last');
  expect(own.audit.of('connection-closed').at(-1)).toMatchObject({ reason: 'drain' });
  await own.close();
});
