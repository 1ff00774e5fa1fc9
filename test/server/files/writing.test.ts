/** Files that are written at offsets of the client's own, as SFTP does it. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountFiles, Writing } from '../../../server/files/account-files';
import type { Scanner } from '../../../server/files/antivirus/scanner';
import { type TestFiles, testFiles } from '../support/files';

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
    'a gap that is never filled',
    [
      [0, 'abc'],
      [4, 'e'],
    ],
  ],
  [
    'a second write over the first',
    [
      [0, 'abc'],
      [1, 'x'],
    ],
  ],
] as const)('%s is refused in words, and nothing appears', async (_what, parts) => {
  const writing = await open('replace');
  await write(writing, ...parts).catch(() => {});
  const { outcome, reason } = await writing.commit();
  expect([outcome, reason]).toEqual(['failure', expect.stringMatching(/^[A-Z].*\.$/)]);
  expect(await readdir(files.folder)).not.toContain('file');
  expect(await leftOver()).toEqual([]);
  expect(uploads()).toMatchObject([{ outcome: 'failure', reason }]);
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

  it('nothing is written beyond its end', async () => {
    const writing = await open('keep');
    await expect(write(writing, [11, 'x'])).rejects.toMatchObject({ code: 'unsupported' });
    expect((await writing.commit()).outcome).toBe('failure');
    expect(await content()).toBe('0123456789');
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
