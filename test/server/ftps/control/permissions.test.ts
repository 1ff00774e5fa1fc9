/** Which permission each command needs, and that an account without it learns nothing about what is there. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Permission } from '../../../../server/config';
import { commandTable } from '../../../../server/ftps/control/commands';
import { RawClient, type TestServer, testServer } from '../../support/server';

const all: readonly Permission[] = ['read', 'write', 'list', 'delete', 'rename', 'mkdir'];

/** Commands that name something, with what is there in place of `%`; the permissions of which one is enough. */
const commands: readonly (readonly [line: string, needs: readonly Permission[]])[] = [
  ['RETR %', ['read']],
  ['HASH %', ['read']],
  ['XSHA256 %', ['read']],
  ['XSHA512 %', ['read']],
  ['STOR %', ['write']],
  ['APPE %', ['write']],
  ['STOU %', ['write']],
  ['MFMT 20260101000000 %', ['write']],
  ['LIST %', ['list']],
  ['NLST %', ['list']],
  ['MLSD %', ['list']],
  ['MLST %', ['list']],
  ['STAT %', ['list']],
  ['DELE %', ['delete']],
  ['RMD %', ['delete']],
  ['RNFR %', ['rename']],
  ['MKD %', ['mkdir']],
  ['SIZE %', ['list', 'read']],
  ['MDTM %', ['list', 'read']],
  ['AVBL %', ['list', 'read']],
];

let server: TestServer;
beforeAll(async () => {
  const accounts = [...all.map((permission) => ({ user: permission, permissions: [permission], home: '/' })), { user: 'nothing', permissions: [], home: '/' }];
  server = await testServer({}, accounts);
  await mkdir(join(server.files, 'folder'), { recursive: true });
  await writeFile(join(server.files, 'file'), 'some bytes');
});
afterAll(() => server.close());

it('are said of every command that takes a path', () => {
  const named = new Set(commands.map(([line]) => line.split(' ')[0]!));
  const paths = commandTable.all.filter(({ verbatim, name }) => verbatim && !['USER', 'PASS', 'ACCT', 'SITE', 'CLNT', 'CWD', 'RNTO'].includes(name));
  expect(paths.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
});

describe.each([...all, 'nothing'] as const)('an account that may only %s', (user) => {
  it('is told the same of what is there and of what is not, by every command that needs more', async () => {
    const raw = await RawClient.loggedIn(server, {}, user);
    const told: string[] = [];
    for (const [line, needs] of commands) {
      if (needs.some((permission) => permission === user)) continue;
      if (user === 'write' && line.startsWith('MFMT')) continue;
      const replies: string[] = [];
      for (const name of ['file', 'folder', 'missing', 'missing/deeper'])
        replies.push((await raw.send(line.replace('%', name))).replace(/^213 \d+$/, '213 bytes left'));
      if (new Set(replies).size > 1 || !/^(5\d\d|213)/.test(replies[0]!)) told.push(`${line}: ${replies.join(' | ')}`);
    }
    raw.close();
    expect(told).toEqual([]);
  });
});

describe('an account that may only upload', () => {
  it('learns by CWD of folders, which it uploads to, but not whether a name is a file', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    expect(await raw.send('CWD file')).toBe('550 No such folder.');
    expect(await raw.send('CWD missing')).toBe('550 No such folder.');
    expect(await raw.send('CWD folder')).toMatch(/^250 /);
    raw.close();
  });

  it.each(['SIZE %', 'MDTM %', 'MFMT 20260101000000 %'])('is told nothing by %s of files of others', async (line) => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    const replies = await Promise.all(['file', 'folder', 'missing'].map((name) => raw.send(line.replace('%', name))));
    expect(new Set(replies)).toEqual(new Set(['550 This account may not see files, but those that it uploaded in this session.']));
    raw.close();
  });

  it('does not find out how long a file is by REST', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    const replies: string[] = [];
    for (const [offset, name] of [
      [1, 'file'],
      [1_000, 'file'],
      [1, 'missing'],
    ] as const) {
      await raw.epsv();
      await raw.send(`REST ${offset}`);
      replies.push(await raw.send(`STOR ${name}`));
    }
    expect(new Set(replies)).toEqual(new Set(['554 This account may only go on with what it uploaded in this session.']));
    raw.close();
  });

  it('whose download was refused behind REST begins its next upload at its first byte', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    await upload(raw, 'STOR whole', 'first ');
    await raw.send('REST 3');
    expect(await raw.send('RETR whole')).toMatch(/^550 /);
    await upload(raw, 'STOR whole', 'second');
    expect(await readFile(join(server.files, 'whole'), 'utf8')).toBe('second');
    raw.close();
  });

  it('whose second RNFR was refused renames nothing by the first', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'rename');
    expect(await raw.send('RNFR file')).toMatch(/^350 /);
    expect(await raw.send('RNFR missing')).toMatch(/^550 /);
    expect(await raw.send('RNTO other')).toMatch(/^503 /);
    raw.close();
  });

  it('is not told how long a file of others is that it has added to', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    for (const name of ['file', 'new']) {
      await upload(raw, `APPE ${name}`, 'more');
      expect(await raw.send(`SIZE ${name}`)).toBe('550 This account may not see files, but those that it uploaded in this session.');
    }
    await upload(raw, 'STOR own', 'first ');
    await upload(raw, 'APPE own', 'second');
    expect(await raw.send('SIZE own')).toBe('213 12');
    raw.close();
  });

  it('goes on with its own upload, whose size, time and new name it may know', async () => {
    const raw = await RawClient.loggedIn(server, {}, 'write');
    await upload(raw, 'STOR own', 'first ');
    expect(await raw.send('SIZE own')).toBe('213 6');
    await raw.send('REST 6');
    await upload(raw, 'STOR own', 'second');
    expect(await readFile(join(server.files, 'own'), 'utf8')).toBe('first second');
    expect(await raw.send('MFMT 20260102030405 own')).toBe('213 Modify=20260102030405; own');
    expect(await raw.send('MDTM own')).toBe('213 20260102030405');
    await raw.send('REIN');
    await raw.send('USER write');
    raw.close();
    const later = await RawClient.loggedIn(server, {}, 'write');
    expect(await later.send('SIZE own')).toMatch(/^550 /);
    later.close();
  });
});

async function upload(raw: RawClient, command: string, content: string): Promise<void> {
  const port = await raw.epsv();
  raw.write(`${command}\r\n`);
  const data = await raw.data(server, port);
  data.end(content);
  expect(await raw.reply()).toMatch(/^150 /);
  expect(await raw.reply()).toMatch(/^226 /);
}
