/** Every command in every state: what the state table says, on a live server. */
import { commandTable } from '../../../../server/ftps/control/commands';
import { RawClient, type TestServer, testServer } from '../../support/server';

type State = 'plain' | 'secured' | 'named' | 'loggedIn';

/** A command with an argument, and its reply code in plain text, encrypted, after USER, and logged in; then whether it is heard during a transfer. */
const expected: readonly (readonly [line: string, plain: number, secured: number, named: number, loggedIn: number, during?: 'heard'])[] = [
  ['AUTH NONSENSE', 504, 503, 503, 503],
  ['HOST ftp.example.com', 220, 220, 503, 503],
  ['USER demo', 530, 331, 331, 503],
  ['PASS wrong', 530, 503, 530, 202],
  ['ACCT x', 530, 202, 202, 202],
  ['REIN', 530, 220, 220, 220],
  ['QUIT', 221, 221, 221, 221],
  ['PBSZ 0', 530, 200, 200, 200],
  ['PROT P', 530, 200, 200, 200],
  ['CCC', 530, 534, 534, 534],
  ['FEAT', 211, 211, 211, 211],
  ['HELP', 214, 214, 214, 214],
  ['OPTS UTF8 ON', 200, 200, 200, 200],
  ['STAT', 211, 211, 211, 211, 'heard'],
  ['NOOP', 200, 200, 200, 200, 'heard'],
  ['SYST', 215, 215, 215, 215],
  ['CLNT test', 200, 200, 200, 200],
  ['LANG EN', 200, 200, 200, 200],
  ['ALLO 1', 530, 530, 530, 202],
  ['SITE HELP', 530, 530, 530, 214],
  ['TYPE I', 530, 200, 200, 200],
  ['MODE S', 530, 200, 200, 200],
  ['STRU F', 530, 200, 200, 200],
  ['REST 0', 530, 530, 530, 350],
  ['RETR none', 530, 530, 530, 425],
  ['STOR some', 530, 530, 530, 425],
  ['APPE some', 530, 530, 530, 425],
  ['STOU some', 530, 530, 530, 425],
  ['LIST', 530, 530, 530, 425],
  ['NLST', 530, 530, 530, 425],
  ['MLSD', 530, 530, 530, 425],
  ['MLST', 530, 530, 530, 250],
  ['PASV', 530, 530, 530, 227],
  ['EPSV', 530, 530, 530, 229],
  ['PORT 127,0,0,1,200,200', 530, 530, 530, 502],
  ['EPRT |1|127.0.0.1|50000|', 530, 530, 530, 502],
  ['ABOR', 530, 530, 530, 226, 'heard'],
  ['DELE none', 530, 530, 530, 550],
  ['RNFR none', 530, 530, 530, 550],
  ['RNTO none', 530, 530, 530, 503],
  ['SIZE none', 530, 530, 530, 550],
  ['MDTM none', 530, 530, 530, 550],
  ['MFMT 20260101000000 none', 530, 530, 530, 550],
  ['HASH none', 530, 530, 530, 550],
  ['XSHA256 none', 530, 530, 530, 550],
  ['XSHA512 none', 530, 530, 530, 550],
  ['PWD', 530, 530, 530, 257],
  ['XPWD', 530, 530, 530, 257],
  ['CWD /', 530, 530, 530, 250],
  ['XCWD /', 530, 530, 530, 250],
  ['CDUP', 530, 530, 530, 250],
  ['XCUP', 530, 530, 530, 250],
  ['AVBL', 530, 530, 530, 213],
  ['MKD made', 530, 530, 530, 257],
  ['RMD made', 530, 530, 530, 250],
  ['XMKD made', 530, 530, 530, 257],
  ['XRMD made', 530, 530, 530, 250],
];

const codes = { plain: 1, secured: 2, named: 3, loggedIn: 4 } as const;
const changesState = /^(USER|PASS|REIN|QUIT)/;

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ limits: { loginAttempts: 1_000, lockout: { failuresPerAddress: 1_000, failuresPerAccount: 1_000 } } });
});
afterAll(() => server.close());

async function clientIn(state: State): Promise<RawClient> {
  if (state === 'loggedIn') return RawClient.loggedIn(server);
  const raw = await RawClient.explicit(server);
  await raw.reply();
  if (state === 'plain') return raw;
  await raw.upgrade(server);
  if (state === 'named') await raw.send('USER demo');
  return raw;
}

it('knows no command that this table does not', () => {
  const names = commandTable.all.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  expect(expected.map(([line]) => line.split(' ')[0]).sort()).toEqual([...names].sort());
});

it.each(['plain', 'secured', 'named', 'loggedIn'] as const)('every command, %s', async (state) => {
  let raw = await clientIn(state);
  let asked = 0;
  for (const row of expected) {
    const [line] = row;
    expect(`${line}: ${(await raw.send(line)).slice(0, 3)}`).toBe(`${line}: ${row[codes[state]]}`);
    asked += 1;
    // Who is refused ten times before a login is sent away.
    if (!changesState.test(line) && asked % 10 !== 0) continue;
    raw.close();
    raw = await clientIn(state);
  }
  raw.close();
});

it('every command during a transfer: a few are heard at once, all others keep their place', async () => {
  let raw = await clientIn('loggedIn');
  for (const [line, , , , code, during] of expected) {
    const port = await raw.epsv();
    raw.write('STOR state.bin\r\n');
    expect(await raw.reply()).toMatch(/^150 /);
    const data = await raw.data(server, port);
    raw.write(`${line}\r\n`);
    if (line === 'ABOR') {
      expect(await raw.reply()).toMatch(/^426 /);
      expect(await raw.reply()).toMatch(/^226 /);
      data.destroy();
      continue;
    }
    if (during === 'heard') expect(`${line}: ${await raw.reply()}`).toMatch(`${line}: ${code}`);
    data.resume().end('x');
    expect(`${line}: ${await raw.reply()}`).toMatch(`${line}: 226`);
    if (during !== 'heard') expect(`${line}: ${await raw.reply()}`).toMatch(`${line}: ${code}`);
    if (!changesState.test(line)) continue;
    raw.close();
    raw = await clientIn('loggedIn');
  }
  raw.close();
});

it('HELP marks what can not be used now', async () => {
  const raw = await clientIn('plain');
  const stars = async () => {
    const words = (await raw.send('HELP')).split('\r\n').slice(1, -1).join(' ').split(/\s+/).filter(Boolean);
    return words.filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1));
  };
  expect(await stars()).toEqual(expect.arrayContaining(['USER', 'PASS', 'LIST', 'PBSZ']));
  expect(await stars()).not.toContain('AUTH');
  await raw.upgrade(server);
  expect(await stars()).toEqual(expect.arrayContaining(['AUTH', 'PASS', 'LIST']));
  expect(await stars()).not.toContain('USER');
  raw.close();
  const loggedIn = await clientIn('loggedIn');
  expect((await loggedIn.send('HELP')).match(/\w+\*/g)).toEqual(['USER*', 'PASS*', 'HOST*', 'AUTH*']);
  loggedIn.close();
});
