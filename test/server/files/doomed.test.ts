/** What can't be told to the audit does not happen: an upload whose last step comes after the audit has failed. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { LocalNameLocks } from '../../../server/files/storage/name-locks';
import { testServer } from '../support/server';

afterEach(() => jest.restoreAllMocks());

it.each([
  ['a new file does not appear', undefined],
  ['an old file stays', 'old'],
])('%s where the audit fails while an upload is put into place', async (_what, before) => {
  // Where a quota counts, an upload waits for its name before it is put into place.
  const server = await testServer({}, [{ user: 'demo', quota: { bytes: 1_000_000 } }]);
  try {
    await mkdir(server.files, { recursive: true });
    if (before !== undefined) await writeFile(join(server.files, 'file'), before);
    const { hold } = LocalNameLocks.prototype;
    jest.spyOn(LocalNameLocks.prototype, 'hold').mockImplementation(async function (this: LocalNameLocks, name) {
      const release = await hold.call(this, name);
      server.audit.failed = true;
      return release;
    });
    const client = await server.client();
    await expect(client.uploadFrom(Readable.from(['new']), 'file')).rejects.toMatchObject({ code: 451 });
    expect(await readFile(join(server.files, 'file'), 'utf8').catch(() => undefined)).toBe(before);
    expect((await readdir(server.files)).filter((name) => !name.startsWith('.'))).toEqual(before === undefined ? [] : ['file']);
    expect(server.audit.of('transfer')).toMatchObject([{ outcome: 'failure', path: '/file' }]);
  } finally {
    await server.close();
  }
});
