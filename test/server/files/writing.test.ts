/** Files that are written at offsets of the client's own, as SFTP does it. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountFiles, Writing } from '../../../server/files/account-files';
import type { Scanner } from '../../../server/files/antivirus/scanner';
import { type TestFiles, testFiles } from '../support/files';
import { writtenAnywhere } from './written-anywhere';

let files: TestFiles;
let account: AccountFiles;
beforeEach(async () => {
  files = await testFiles();
  account = await files.open();
});
afterEach(() => files.close());

const at = (name: string) => join(files.folder, name);
const content = () => readFile(at('file'), 'utf8');
const open = (existing: 'replace' | 'create' | 'keep' | 'append', create?: boolean) => account.openWriting('/file', { command: 'OPEN', existing, create });
const uploads = () => files.audit.of('transfer');
/** Nothing is left where unfinished uploads lie. */
const leftOver = async () => (await readdir(at('.ftps-staging'), { recursive: true })).filter((name) => !/^[^/]*$/.test(name));

async function write(writing: Writing, ...parts: readonly (readonly [number, string])[]): Promise<void> {
  for (const [offset, text] of parts) await writing.write(offset, Buffer.from(text));
}

it('comes in order: it appears with its end, whole, and is told once', async () => {
  const bytes = randomBytes(3_000_000);
  const writing = await open('replace');
  for (let offset = 0; offset < bytes.length; offset += 32_768) await writing.write(offset, bytes.subarray(offset, offset + 32_768));
  expect(await readdir(files.folder)).not.toContain('file');
  expect(await writing.commit()).toMatchObject({ outcome: 'success', sha256: createHash('sha256').update(bytes).digest('hex') });
  expect((await readFile(at('file'))).equals(bytes)).toBe(true);
  expect(uploads()).toMatchObject([{ transfer: 'upload', command: 'OPEN', path: '/file', outcome: 'success', bytes: 3_000_000, offset: 0, user: 'demo' }]);
});

it('of no bytes is a file of no bytes', async () => {
  expect(await (await open('replace')).commit()).toMatchObject({ outcome: 'success' });
  expect(await content()).toBe('');
});

it('what comes a little too early waits for its turn, however it was sent', async () => {
  const writing = await open('replace');
  await Promise.all([writing.write(3, Buffer.from('def')), writing.write(6, Buffer.from('ghi')), writing.write(0, Buffer.from('abc'))]);
  expect((await writing.commit()).outcome).toBe('success');
  expect(await content()).toBe('abcdefghi');
});

it.each([
  [
    'a gap that is never filled is zeros',
    [
      [0, 'abc'],
      [4, 'e'],
    ],
    'abc\0e',
  ],
  [
    'a second write goes over the first',
    [
      [0, 'abc'],
      [1, 'x'],
    ],
    'axc',
  ],
  [
    'the later of two counts, though it was in order',
    [
      [2, 'cde'],
      [0, 'ABCD'],
    ],
    'ABCDe',
  ],
] as const)('%s', async (_what, parts, expected) => {
  const writing = await open('replace');
  await write(writing, ...parts);
  expect(await writing.commit()).toMatchObject({ outcome: 'success', sha256: createHash('sha256').update(expected).digest('hex') });
  expect(await content()).toBe(expected);
  expect(await leftOver()).toEqual([]);
  expect(uploads()).toMatchObject([{ outcome: 'success', offset: 0 }]);
});

it('more than waits in memory may come too early, and so may very many pieces', async () => {
  const bytes = randomBytes(9_000_000);
  const writing = await open('replace');
  for (let end = bytes.length; end > 0; end -= 250_000) await writing.write(end - 250_000, bytes.subarray(end - 250_000, end));
  expect((await writing.commit()).outcome).toBe('success');
  expect((await readFile(at('file'))).equals(bytes)).toBe(true);
  const crumbs = await open('replace');
  for (let offset = 2_000; offset >= 0; offset -= 1) await crumbs.write(offset, Buffer.from('x'));
  expect((await crumbs.commit()).outcome).toBe('success');
  expect(await content()).toBe('x'.repeat(2_001));
});

it('becomes a draft in the middle of a stream, and what was streamed is in it', async () => {
  const bytes = randomBytes(3_000_000);
  const writing = await open('replace');
  for (let offset = 0; offset < bytes.length; offset += 100_000) await writing.write(offset, bytes.subarray(offset, offset + 100_000));
  bytes.write('header', 0);
  await writing.write(0, Buffer.from('header'));
  expect((await writing.commit()).outcome).toBe('success');
  expect((await readFile(at('file'))).equals(bytes)).toBe(true);
  expect(uploads()).toMatchObject([{ bytes: 3_000_006, offset: 0, sha256: createHash('sha256').update(bytes).digest('hex') }]);
});

it('is read beside, by who may read', async () => {
  const writing = await account.openWriting('/file', { command: 'OPEN', existing: 'replace', read: true });
  await write(writing, [0, 'abcdef']);
  const reading = writing.openReading('READ');
  const into = Buffer.alloc(3);
  expect(await reading.read(2, into)).toBe(3);
  expect(into.toString()).toBe('cde');
  await write(writing, [3, 'X']);
  expect(await reading.read(2, into)).toBe(3);
  expect(into.toString()).toBe('cXe');
  expect(await reading.read(6, into)).toBe(0);
  await reading.close();
  expect((await writing.commit()).outcome).toBe('success');
  expect(uploads().map(({ transfer, bytes }) => [transfer, bytes])).toEqual([
    ['download', 6],
    ['upload', 7],
  ]);
  const blind = await (await files.open({ permissions: ['write'] })).openWriting('/other', { command: 'OPEN', existing: 'replace', read: true });
  expect(() => blind.openReading('READ')).toThrow('This account may not download.');
  await blind.abort();
});

it('one that can not be kept fails in words, and so does everything after', async () => {
  const writing = await open('replace');
  await writing.truncate(2 ** 42);
  expect(await writing.commit()).toMatchObject({
    outcome: 'failure',
    reason: expect.stringMatching(/^The (storage is full|file is too large for the storage)\.$/),
  });
  await expect(write(writing, [0, 'abc'])).rejects.toThrow();
  expect(await readdir(files.folder)).not.toContain('file');
  expect(await leftOver()).toEqual([]);
});

describe('on a disk', () => writtenAnywhere(() => files, { far: 40_000, piece: 9_000, runs: 40 }));

it('of one file into another goes past pace and permission, and is told', async () => {
  await writeFile(at('from'), '0123456789');
  const [reading, writing] = [await account.openReading('READ', '/from'), await open('replace')];
  const copy = (offset: number, to: number, length?: number) =>
    account.copyData('COPY-DATA', { path: '/from', file: reading, offset }, { path: '/file', file: writing, offset: to }, length);
  expect(await copy(2, 0)).toBe(8);
  expect(await copy(0, 8, 2)).toBe(2);
  expect(await copy(9, 10, 5)).toBe(1);
  await reading.close();
  expect((await writing.commit()).outcome).toBe('success');
  expect(await content()).toBe('23456789019');
  expect(files.audit.of('command')).toMatchObject(Array(3).fill({ command: 'COPY-DATA', path: '/file' }));
  await expect((await files.open({ permissions: ['read'] })).copyData('COPY-DATA', {} as never, {} as never)).rejects.toMatchObject({ code: 'denied' });
});

describe('over a file that is there', () => {
  beforeEach(() => writeFile(at('file'), '0123456789'));

  it.each([
    ['replace', [[0, 'ab']], 'ab', 0],
    ['keep', [[0, 'ab']], 'ab23456789', 0],
    [
      'keep',
      [
        [4, 'ab'],
        [6, 'c'],
      ],
      '0123abc789',
      4,
    ],
    ['keep', [[10, 'ab']], '0123456789ab', 10],
    ['keep', [[8, 'abcd']], '01234567abcd', 8],
    ['keep', [], '0123456789', 0],
    [
      'append',
      [
        [0, 'ab'],
        [0, 'cd'],
      ],
      '0123456789abcd',
      10,
    ],
  ] as const)('%s: %j makes %s', async (existing, parts, expected, offset) => {
    const writing = await open(existing);
    await write(writing, ...parts);
    expect(await content()).toBe('0123456789');
    expect((await writing.commit()).outcome).toBe('success');
    expect(await content()).toBe(expected);
    expect(uploads()).toMatchObject([{ outcome: 'success', offset }]);
  });

  it.each([
    ['cut', [], 4, '0123'],
    ['cut to nothing', [], 0, ''],
    ['lengthened', [], 12, '0123456789\0\0'],
    ['written anew and cut where that ended', [[0, 'abc']], 3, 'abc'],
    ['cut before what was written', [[0, 'abc']], 2, 'ab'],
  ] as const)('it is %s', async (_how, parts, size, expected) => {
    const writing = await open('keep');
    await write(writing, ...parts);
    await writing.truncate(size);
    expect((await writing.commit()).outcome).toBe('success');
    expect(await content()).toBe(expected);
  });

  it('what is written beyond its end has zeros before it', async () => {
    const writing = await open('keep');
    await write(writing, [12, 'x']);
    expect((await writing.commit()).outcome).toBe('success');
    expect(await content()).toBe('0123456789\0\0x');
  });

  it('one that must be new is refused at once', async () => {
    await expect(open('create')).rejects.toMatchObject({ code: 'exists' });
  });

  it('who may not see it can only replace it whole', async () => {
    account = await files.open({ permissions: ['write'] });
    const writing = await open('keep');
    await write(writing, [0, 'ab']);
    expect((await writing.commit()).outcome).toBe('success');
    expect(await content()).toBe('ab');
  });

  it('stays when the client is gone, before the first byte and after it', async () => {
    for (const parts of [[], [[0, 'ab']]] as const) {
      const writing = await open('keep');
      await write(writing, ...parts);
      expect(await writing.abort()).toMatchObject({ outcome: 'aborted' });
      expect(await content()).toBe('0123456789');
    }
    expect(await leftOver()).toEqual([]);
    expect(uploads().map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
  });
});

it('a file that may not be new is refused where it is not there', async () => {
  await expect(open('keep', false)).rejects.toMatchObject({ code: 'not-found' });
  await expect(open('append', false)).rejects.toMatchObject({ code: 'not-found' });
});

it('has the time that was asked for once it is in place', async () => {
  const writing = await open('replace');
  await write(writing, [0, 'abc']);
  writing.keepTime(new Date('2020-01-02T03:04:05Z'));
  await writing.commit();
  expect((await stat(at('file'))).mtime.toISOString()).toBe('2020-01-02T03:04:05.000Z');
});

it('a permission is asked for before anything is looked at', async () => {
  account = await files.open({ permissions: ['read', 'list'] });
  await expect(open('keep', false)).rejects.toMatchObject({ code: 'denied', message: 'This account may not upload.' });
});

it('what is written after the administrator ended it fails, and nothing appears', async () => {
  const writing = await open('replace');
  await write(writing, [0, 'abc']);
  writing.progress.abort();
  await expect(write(writing, [3, 'def'])).rejects.toThrow('Transfer aborted');
  expect(await writing.abort()).toMatchObject({ outcome: 'aborted' });
  expect(await readdir(files.folder)).not.toContain('file');
});

it('an infected one is refused at its end, in words', async () => {
  const scanner: Scanner = {
    begin: () => ({ write: async () => {}, finish: async () => ({ result: 'infected', signature: 'Eicar' }), abort: () => {} }),
    close: async () => {},
  };
  const scanned = await testFiles({ scanner });
  try {
    const writing = await (await scanned.open()).openWriting('/file', { command: 'OPEN', existing: 'replace' });
    await write(writing, [0, 'abc']);
    const outcome = await writing.commit();
    expect(outcome).toMatchObject({ outcome: 'failure', reason: 'The file is infected and was refused.', verdict: { result: 'infected', signature: 'Eicar' } });
    expect(outcome.verdict?.quarantined).toBeDefined();
    expect(await readdir(scanned.folder)).not.toContain('file');
    expect(scanned.audit.of('transfer')).toMatchObject([{ outcome: 'failure', verdict: { result: 'infected' } }]);
  } finally {
    await scanned.close();
  }
});
