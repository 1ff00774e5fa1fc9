/** What an account that may only upload learns over SFTP of what others put there: nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sftp, type SftpServed, sftpServed } from './served';

const OTHERS = 'sixteen bytes ok';

let server: SftpServed;
let drop: Sftp;
beforeAll(async () => {
  server = await sftpServed({}, [{ user: 'demo' }, { user: 'drop', permissions: ['write'] }]);
  mkdirSync(server.files, { recursive: true });
  writeFileSync(join(server.files, 'theirs'), OTHERS);
  drop = await server.sftp({ username: 'drop' });
});
afterAll(() => server.close());

/** What comes of it, in words; a handle is left open. */
const answer = (method: 'open' | 'stat' | 'fstat' | 'fsetstat', ...args: readonly unknown[]) =>
  drop.call<unknown>(method, ...args).then(
    (value) => value,
    (error: Error & { code?: number }) => `${error.code}: ${error.message}`,
  );

it.each([
  ['not made', 0x02],
  ['read and not made', 0x03],
  ['cut and not made', 0x12],
  ['written at its end and not made', 0x06],
])('whether a name is taken is not told where a file is to be %s', async (_, flags) => {
  const [there, missing] = [await answer('open', '/theirs', flags), await answer('open', '/missing', flags)];
  expect(there).toMatch(/^3: .*may not see/);
  expect(missing).toBe(there);
});

it('does not learn how long a file is by opening it to append, nor by what it appended', async () => {
  const handle = (await answer('open', '/theirs', 'a')) as Buffer;
  expect(await answer('fstat', handle)).toMatchObject({ size: 0 });
  await drop.call('write', handle, Buffer.from('more'), 0, 4, 0);
  expect(await answer('fstat', handle)).toMatchObject({ size: 4 });
  expect(await answer('fsetstat', handle, { size: 5 })).toMatch(/^3: /);
  await drop.call('close', handle);
  expect(await readFile(join(server.files, 'theirs'), 'utf8')).toBe(`${OTHERS}more`);
  expect(await answer('stat', '/theirs')).toMatch(/^3: /);
});
