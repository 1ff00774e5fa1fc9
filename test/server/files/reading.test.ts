/** Files that are read where the client likes, as SFTP does it. */
import { randomBytes } from 'node:crypto';
import { rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reading } from '../../../server/files/account-files';
import { type TestFiles, testFiles } from '../support/files';

const content = randomBytes(300_000);
let files: TestFiles;
let reading: Reading;
beforeEach(async () => {
  files = await testFiles();
  await writeFile(join(files.folder, 'file'), content);
  reading = await (await files.open()).openReading('OPEN', '/file');
});
afterEach(() => files.close());

async function read(offset: number, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length);
  return into.subarray(0, await reading.read(offset, into));
}

it('gives what is there at every offset, in order and not, and nothing behind the end', async () => {
  for (const [offset, length] of [
    [0, 1_000],
    [1_000, 32_768],
    [200_000, 10],
    [5, 5],
    [299_990, 1_000],
    [300_000, 10],
    [900_000, 1],
  ] as const)
    expect((await read(offset, length)).equals(content.subarray(offset, offset + length))).toBe(true);
  expect(await reading.close()).toMatchObject({ outcome: 'success' });
  expect(files.audit.of('transfer')).toMatchObject([{ transfer: 'download', command: 'OPEN', outcome: 'success', bytes: 33_793, offset: 0 }]);
});

it('answers reads that were sent ahead, each with its own bytes', async () => {
  const offsets = [100_000, 0, 250_000, 50_000];
  const pieces = await Promise.all(offsets.map((offset) => read(offset, 1_000)));
  for (const [index, piece] of pieces.entries()) expect(piece.equals(content.subarray(offsets[index]!, offsets[index]! + 1_000))).toBe(true);
  await reading.close();
});

it('goes on with the file that was opened, when another has taken its place', async () => {
  await read(0, 10);
  await writeFile(join(files.folder, 'other'), randomBytes(300_000));
  await rename(join(files.folder, 'other'), join(files.folder, 'file'));
  expect((await read(200_000, 10)).equals(content.subarray(200_000, 200_010))).toBe(true);
  await reading.close();
});

it('one that became shorter is told, to the client and once to the audit', async () => {
  await read(0, 10);
  await truncate(join(files.folder, 'file'), 100);
  await expect(read(200_000, 10)).rejects.toMatchObject({ code: 'changed' });
  expect(await reading.close()).toMatchObject({ outcome: 'failure', reason: 'The file became shorter while it was sent.' });
  expect(files.audit.of('transfer')).toMatchObject([{ outcome: 'failure', bytes: 10 }]);
});

it('a client that is gone is an aborted download of what it got', async () => {
  await read(0, 1_000);
  await reading.abort();
  expect(files.audit.of('transfer')).toMatchObject([{ outcome: 'aborted', bytes: 1_000 }]);
});
