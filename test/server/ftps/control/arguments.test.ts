/** Arguments as clients really write them: flags, blanks, slashes, times, names. What is replied is held against what was done. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { RawClient, readAll, type TestServer, testServer } from '../../support/server';

let server: TestServer;
let raw: RawClient;
beforeAll(async () => {
  server = await testServer();
  await mkdir(join(server.files, 'inbox'), { recursive: true });
});
beforeEach(async () => {
  raw = await RawClient.loggedIn(server);
});
afterEach(() => raw.close());
afterAll(() => server.close());

const there = (name: string) => join(server.files, name);

async function received(command: string): Promise<string> {
  const port = await raw.epsv();
  raw.write(`${command}\r\n`);
  const data = await raw.data(server, port);
  const content = await readAll(data);
  expect(await raw.reply()).toMatch(/^150 /);
  expect(await raw.reply()).toMatch(/^226 /);
  return content.toString();
}

/** Uploads a few bytes, and answers with the text of 150; or with the refusal. */
async function upload(command: string): Promise<string> {
  const port = await raw.epsv();
  raw.write(`${command}\r\n`);
  const first = await raw.reply();
  if (!first.startsWith('150')) return first;
  const data = await raw.data(server, port);
  data.end('content');
  expect(await raw.reply()).toMatch(/^226 /);
  return first;
}

describe('flags of ls', () => {
  beforeAll(async () => {
    await mkdir(there('flags'), { recursive: true });
    for (const name of ['a.txt', 'b.bin', '.hidden', '-l']) await writeFile(there(`flags/${name}`), 'x');
  });
  beforeEach(async () => {
    await raw.send('CWD flags');
  });
  const everything = ['-l', '.hidden', 'a.txt', 'b.bin'];

  it.each([
    ['-la', everything],
    ['-a -F', everything],
    ['  -al  ', everything],
    ['-1 --', everything],
    ['-a *.txt', ['a.txt']],
    ['-la   b.bin', ['b.bin']],
    ['-l', ['-l']],
    ['-a -l', everything],
    ['./-l', ['./-l']],
    ['-x', everything],
  ])('are no path in %j, but for what has exactly that name', async (argument, names) => {
    expect((await received(`NLST ${argument}`)).split('\r\n').filter(Boolean).sort()).toEqual(names);
    const lines = (await received(`LIST ${argument}`)).split('\r\n').filter(Boolean);
    const status = (await raw.send(`STAT ${argument}`)).split('\r\n').slice(1, -1);
    for (const listed of [lines, status]) expect(listed.map((line) => line.split(' ').at(-1)).sort()).toEqual(names.map((name) => name.replace('./', '')));
  });
});

describe('a path that ends in a slash', () => {
  beforeEach(async () => {
    await writeFile(there('a.txt'), 'text');
  });

  it.each(['STOR new/', 'APPE new/', 'STOR inbox/', 'STOR inbox/.', 'STOR inbox/..', 'APPE a.txt/'])('makes no file by %s', async (command) => {
    const before = (await readdir(server.files)).sort();
    expect(await upload(command)).toMatch(/^550 /);
    expect((await readdir(server.files)).sort()).toEqual(before);
    expect(await readFile(there('a.txt'), 'utf8')).toBe('text');
  });

  it.each([
    'RETR a.txt/',
    'SIZE a.txt/',
    'MDTM a.txt/',
    'MFMT 20260101000000 a.txt/',
    'DELE a.txt/',
    'HASH a.txt/',
    'RNFR a.txt/',
    'CWD a.txt/',
    'MLST a.txt/',
    'STAT a.txt/',
  ])('is no file for %s', async (command) => {
    await raw.epsv();
    expect(await raw.send(command)).toMatch(/^550 /);
    expect(await readFile(there('a.txt'), 'utf8')).toBe('text');
  });

  it('is no new name for a file, and is one for a folder', async () => {
    await raw.send('RNFR a.txt');
    expect(await raw.send('RNTO b.txt/')).toMatch(/^550 /);
    await mkdir(there('old'));
    await raw.send('RNFR old/');
    expect(await raw.send('RNTO moved/')).toMatch(/^250 /);
    expect((await stat(there('moved'))).isDirectory()).toBe(true);
    expect(await raw.send('MDTM moved/')).toMatch(/^213 /);
  });

  it('is where STOU puts a name of its own', async () => {
    expect(await upload('STOU inbox/')).toMatch(/^150 FILE: upload\.[0-9a-f]{12}$/);
    expect(await readdir(there('inbox'))).toEqual([expect.stringMatching(/^upload\.[0-9a-f]{12}$/)]);
  });

  it('STOU cuts what is too long for a name, between characters', async () => {
    for (const wanted of ['x'.repeat(255), 'ü'.repeat(127), '€'.repeat(85), 'y'.repeat(4_000)]) {
      const name = /^150 FILE: (.*)$/.exec(await upload(`STOU ${wanted}`))![1]!;
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(await readFile(there(name), 'utf8')).toBe('content');
    }
  });
});

describe('names with control characters', () => {
  const odd = ['a\x01b', 'a\tb', 'a\x7fb', 'a\rb', '\x1b[31mred'];

  it.each(odd)('are made by nobody: %j', async (name) => {
    await writeFile(there('plain'), 'x');
    for (const command of [`STOR ${name}`, `APPE ${name}`, `STOU ${name}`]) expect(await upload(command)).toMatch(/^553 /);
    expect(await raw.send(`MKD ${name}`)).toMatch(/^553 /);
    await raw.send('RNFR plain');
    expect(await raw.send(`RNTO ${name}`)).toMatch(/^553 /);
  });

  it('that are there already are hidden, and lead no reply or line astray', async () => {
    await mkdir(there('odd'), { recursive: true });
    for (const name of odd) await mkdir(there(join('odd', name)), { recursive: true });
    await writeFile(there('odd/fine'), 'x');
    for (const command of ['NLST odd', 'LIST odd', 'MLSD odd'])
      expect((await received(command)).split('\r\n').filter(Boolean)).toEqual([expect.stringMatching(/fine$/)]);
    for (const name of odd) {
      const reply = await raw.send(`CWD odd/${name}`);
      expect(reply).toMatch(/^550 [\x20-\x7e]*$/);
      expect(await raw.send('PWD')).toBe('257 "/"');
    }
    expect(await raw.send('RMD odd')).toMatch(/^550 /);
  });

  it('are told as question marks where a reply repeats what was sent', async () => {
    expect(await raw.send('MFMT 20260101000000 a\rb')).toMatch(/^553 [\x20-\x7e]*$/);
    expect(await raw.send('NOSUCH\x07')).toMatch(/^500 [\x20-\x7e]*$/);
  });
});

describe('MFMT', () => {
  beforeEach(() => writeFile(there('timed'), 'x'));

  it('replies with the time that the file has then', () =>
    fc.assert(
      fc.asyncProperty(fc.date({ min: new Date(0), max: new Date(Date.UTC(2105, 11, 31)), noInvalidDate: true }), async (date) => {
        const value = date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
        const reply = await raw.send(`MFMT ${value} timed`);
        expect(reply).toBe(`213 Modify=${value}; timed`);
        expect(Math.floor((await stat(there('timed'))).mtimeMs / 1000)).toBe(Math.floor(date.getTime() / 1000));
        expect(await raw.send('MDTM timed')).toBe(`213 ${value}`);
      }),
      { numRuns: 25 },
    ));

  it.each(['19691231235959', '00700101000000', '21060101000000', '99991231235959', '20260230000000'])('changes nothing for %s', async (value) => {
    const before = (await stat(there('timed'))).mtimeMs;
    expect(await raw.send(`MFMT ${value} timed`)).toMatch(/^501 /);
    expect((await stat(there('timed'))).mtimeMs).toBe(before);
  });

  it('takes nothing that clients do not see', async () => {
    spawnSync('mkfifo', [there('pipe')]);
    expect(await raw.send('MFMT 20260101000000 pipe')).toMatch(/^550 /);
    expect(await raw.send('MFMT 20260101000000 /')).toMatch(/^550 /);
  });
});

/** Commands whose argument is no name: what they take by their RFC, and what must be refused. */
const grammar: readonly (readonly [command: string, taken: readonly string[], refused: readonly string[]])[] = [
  ['TYPE', ['I', 'i', 'A', 'A N', 'AN', 'L 8', 'L8', 'l 8'], ['X', 'E', 'L 7', 'L', 'I I', 'A T', 'A C']],
  ['MODE', ['S', 's'], ['B', 'C', 'Z', 'SS']],
  ['STRU', ['F', 'f'], ['R', 'P', 'FF']],
  ['REST', ['0', '10', '999999999999999'], ['-1', '1.5', 'x', '0x10', '1e3', '1 2']],
  ['PBSZ', ['0', '16384'], ['-1', 'x', '']],
  ['PROT', ['P', 'p'], ['C', 'S', 'E', 'X', 'PP', 'P P']],
  ['EPSV', ['1', 'ALL', 'all'], ['2', '3', 'x', '1 1']],
  ['OPTS', ['UTF8 ON', 'utf8 on', 'UTF8', 'HASH SHA-512', 'MLST size;type;'], ['UTF8 OFF', 'HASH MD5', 'NOSUCH', 'NOSUCH x']],
  ['LANG', ['', 'en', 'EN-us'], ['de', 'x y']],
];

describe('arguments that are no names', () => {
  const blanks = fc.nat({ max: 3 }).map((count) => ' '.repeat(count));

  it.each(grammar)('%s takes what its RFC says, with any blanks around it, and nothing else', async (command, taken, refused) => {
    const one = fc.oneof(
      fc.constantFrom(...taken).map((text) => ({ text, good: true })),
      fc.constantFrom(...refused).map((text) => ({ text, good: false })),
    );
    await fc.assert(
      fc.asyncProperty(one, blanks, blanks, async ({ text, good }, before, after) => {
        // EPSV ALL and the chosen hash are the session's.
        const session = await RawClient.loggedIn(server);
        const reply = await session.send(`${command} ${before}${text}${after}`);
        session.close();
        expect({ reply, text }).toEqual({ reply: expect.stringMatching(good ? /^[23]/ : /^5/), text });
      }),
      { numRuns: 12 },
    );
  });

  it('blanks count in a name', async () => {
    expect(await upload('STOR  name with blanks  ')).toBe('150 Opening data connection for  name with blanks  .');
    expect(await readdir(server.files)).toContain(' name with blanks  ');
    expect(await raw.send('SIZE  name with blanks  ')).toBe('213 7');
    expect(await raw.send('SIZE name with blanks')).toMatch(/^550 /);
  });
});
