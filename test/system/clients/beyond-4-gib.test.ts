/** Transfers that begin beyond 4 GiB, both ways. */
import { randomBytes } from 'node:crypto';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PASSWORD, run, type ServedProcess, serveProcess, USER } from '../support/served';

const OFFSET = 4 * 2 ** 30 + 7;

let server: ServedProcess;
beforeAll(async () => {
  server = await serveProcess();
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

it('curl continues an upload and a download there', async () => {
  const remote = join(server.files, 'large');
  const local = join(server.folder, 'local');
  const end = randomBytes(100_000);
  // What curl has sent before, and what it has in all: nothing but the end takes room on the disk.
  for (const [path, bytes] of [
    [remote, Buffer.alloc(0)],
    [local, end],
  ] as const) {
    const file = await open(path, 'w');
    await file.truncate(OFFSET);
    await file.write(bytes, 0, bytes.length, OFFSET);
    await file.close();
  }
  const curl = (...args: string[]) =>
    run('curl', [
      '--silent',
      '--show-error',
      '--ssl-reqd',
      '--cacert',
      server.ca,
      '--user',
      `${USER}:${PASSWORD}`,
      ...args,
      `ftp://localhost:${server.explicit}/large`,
    ]);
  const up = await curl('--continue-at', '-', '--upload-file', local);
  expect(`exit code ${up.code}: ${up.output}`).toMatch(/^exit code 0/);
  expect((await stat(remote)).size).toBe(OFFSET + end.length);
  const back = join(server.folder, 'back');
  await writeFile(back, '');
  const down = await curl('--range', `${OFFSET}-`, '--output', back);
  expect(`exit code ${down.code}: ${down.output}`).toMatch(/^exit code 0/);
  expect((await readFile(back)).equals(end)).toBe(true);
});
