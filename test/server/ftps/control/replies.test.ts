/** Replies of several lines, byte by byte, against the grammar of their RFC: clients read them with parsers that forgive nothing. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RawClient, type TestServer, testServer } from '../../support/server';

let server: TestServer;
let raw: RawClient;
beforeAll(async () => {
  server = await testServer({}, [{ user: 'demo', admin: true }]);
  await mkdir(join(server.files, 'a folder'), { recursive: true });
  await writeFile(join(server.files, 'a folder', '250 is a name'), 'x');
  raw = await RawClient.loggedIn(server);
});
afterAll(async () => {
  raw.close();
  await server.close();
});

/** The lines between the first, `250-…`, and the last, `250 …`. */
async function inner(command: string): Promise<string[]> {
  const lines = (await raw.send(command)).split('\r\n');
  const code = lines[0]!.slice(0, 3);
  expect(lines[0]).toMatch(/^\d{3}-/);
  expect(lines.at(-1)!.startsWith(`${code} `)).toBe(true);
  expect(lines.every((line) => !/[\r\n]/.test(line))).toBe(true);
  return lines.slice(1, -1);
}

it.each(['FEAT', 'HELP', 'STAT', 'STAT a folder', 'STAT a folder/250 is a name', 'MLST a folder', 'MLST a folder/250 is a name', 'SITE HELP', 'SITE WHO'])(
  '%s: no inner line begins with a digit, which would look like the last (RFC 959 section 4.2)',
  async (command) => {
    for (const line of await inner(command)) expect(line).not.toMatch(/^\d/);
  },
);

it.each([
  ['MLST a folder', '/a folder'],
  ['MLST a folder/250 is a name', '/a folder/250 is a name'],
])('%s: one blank, facts, one blank, the path (RFC 3659 section 7.2)', async (command, path) => {
  const lines = await inner(command);
  expect(lines).toEqual([expect.stringMatching(/^ (?:[a-z]+=[^; ]*;)+ \/a folder/)]);
  expect(lines[0]!.slice(lines[0]!.indexOf('; ') + 2)).toBe(path);
});

it('FEAT: one blank before each feature (RFC 2389 section 3.2)', async () => {
  for (const line of await inner('FEAT')) expect(line).toMatch(/^ [\x21-\x7e][\x20-\x7e]*$/);
});
