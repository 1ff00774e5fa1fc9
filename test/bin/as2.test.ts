/** `ftps as2`: what an operator is told. */
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { as2Command } from '../../bin/commands/as2';
import { configCommand } from '../../bin/commands/config';
import { exitCodeOf, explain } from '../../bin/commands/exit';
import { party } from '../server/as2/served';
import { freePort } from '../server/support/free-port';

const folder = mkdtempSync(join(tmpdir(), 'ftps-as2-command-'));
const at = (name: string) => join(folder, name);
const partner = createServer((request, response) => response.writeHead(Number(request.url!.slice(1)), { location: 'https://elsewhere/' }).end());
beforeAll(async () => {
  partner.listen(0, '127.0.0.1');
  await once(partner, 'listening');
  const { port } = partner.address() as { port: number };
  const [us, acme] = [await party('us'), await party('acme')];
  writeFileSync(at('us.pem'), us.certificate);
  writeFileSync(at('us.key'), us.key);
  writeFileSync(at('acme.pem'), acme.certificate);
  writeFileSync(
    at('accounts.json'),
    JSON.stringify({ accounts: [{ user: 'acme', passwordHash: '$scrypt$ln=4,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }] }),
  );
  mkdirSync(at('files'));
  const own = { kind: 'file', certificate: at('us.pem'), key: at('us.key') };
  const config = {
    listeners: [{ mode: 'explicit', port: 0 }],
    https: { port: 0 },
    as2: {
      identity: { as2Id: 'US', signing: own },
      partners: [
        { as2Id: 'ACME', account: 'acme', url: `https://127.0.0.1:${await freePort()}/as2`, certificates: [at('acme.pem')] },
        ...[405, 404, 401, 403, 301, 503].map((status) => ({
          as2Id: `Answers ${status}`,
          account: 'acme',
          url: `http://127.0.0.1:${port}/${status}`,
          allowPlainHttp: true,
          certificates: [at('acme.pem')],
          outbox: `/${status}`,
        })),
      ],
    },
    storage: { kind: 'local', root: at('files') },
    tls: { certificates: [own] },
    identity: [{ kind: 'file', file: at('accounts.json') }],
  };
  writeFileSync(at('config.json'), JSON.stringify(config));
});
afterAll(() => {
  partner.closeAllConnections();
  partner.close();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => ran(as2Command(), ...args, '--config', at('config.json'));

async function ran(command: Command, ...args: string[]) {
  let output = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  const before = process.exitCode;
  try {
    await command.parseAsync(args, { from: 'user' });
    return { status: process.exitCode ?? 0, output };
  } catch (error) {
    return { status: exitCodeOf(error), output: explain(error) };
  } finally {
    process.exitCode = before;
    spy.mockRestore();
  }
}

it('a partner whose address does not answer is one line', async () => {
  const { status, output } = await run('partner', 'check', 'ACME');
  expect(output).toMatch(/^ACME {2}https:\/\/127\.0\.0\.1:\d+\/as2 can't be reached: .*ECONNREFUSED[^\\]*\n$/);
  expect(status).toBe(3);
});

it('where long messages are to go on, the partner has to say how much has come of one', async () => {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, answer) => {
    asked.push(request);
    answer.writeHead(asked.length === 1 ? 405 : 200, { 'Content-Length': 0 }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = JSON.parse(readFileSync(at('config.json'), 'utf8'));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/as2`;
  config.as2.partners.push({
    as2Id: 'Long Files',
    account: 'acme',
    url,
    allowPlainHttp: true,
    certificates: [at('acme.pem')],
    outbox: '/long',
    restart: { send: true },
  });
  writeFileSync(at('config.json'), JSON.stringify(config));
  const check = () => run('partner', 'check', 'Long Files');
  expect(await check()).toEqual({
    status: 3,
    output: `Long Files  restart.send is on, and ${url} does not say how much of a message has come (405); long ones go as a whole\n`,
  });
  expect(await check()).toEqual({
    status: 0,
    output: `Long Files  in order; ${url} says how much of a message has come, and long ones go on where they were cut\n`,
  });
  expect(asked[0]).toMatchObject({ method: 'HEAD', headers: { 'as2-from': 'US', 'as2-to': '"Long Files"', etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) } });
  server.close();
});

it('a file that waits to be sent is not sent a second time by its name, and that is said', async () => {
  writeFileSync(at('invoice.edi'), 'UNB+');
  expect((await run('send', 'ACME', at('invoice.edi'))).output).toMatch(
    /^invoice\.edi is \/outbox\/invoice\.edi of acme now, and goes to ACME within 15 seconds/,
  );
  expect(await run('send', 'ACME', at('invoice.edi'))).toEqual({
    status: 2,
    output: expect.stringContaining(
      '/outbox/invoice.edi of acme is there already and waits to be sent; give the file another name, or wait until that has gone',
    ),
  });
});

it.each<[number, number, RegExp]>([
  [405, 0, /in order; messages are taken at http:\/\/127\.0\.0\.1:\d+\/405\n$/],
  [404, 3, /there is nothing at http:\S+\/404 \(404\)\. Ask for the address as its owner has it, with its path\.\n$/],
  [401, 0, /http:\S+\/401 asks for a password \(401\)\. Agree on going without it/],
  [403, 0, /http:\S+\/403 lets us not in \(403\)\. Ask whether its owner takes messages from known addresses alone/],
  [301, 0, /http:\S+\/301 leads elsewhere \(301 https:\/\/elsewhere\/\)\. Give partners the last address/],
  [503, 0, /http:\S+\/503 answers 503\. Some servers of AS2 answer so where no message came/],
])('a partner whose address answers %i is told as that', async (answered, status, words) => {
  const { output, ...rest } = await run('partner', 'check', `Answers ${answered}`);
  expect(rest).toEqual({ status });
  expect(output).toMatch(words);
  expect(output.includes('in order')).toBe(answered === 405);
});

describe('several files', () => {
  const inOutbox = (name: string) => at(`files/outbox/${name}`);
  beforeAll(() => {
    for (const name of ['order.edi', 'drawing.pdf', 'send.txt']) writeFileSync(at(name), name);
    mkdirSync(at('other'));
    writeFileSync(at('other/order.edi'), 'another');
  });

  it('are one message, in a folder with a list of them in their order', async () => {
    expect(await run('send', 'ACME', at('order.edi'), at('drawing.pdf'))).toEqual({
      status: 0,
      output: '2 files are /outbox/order of acme now, and go as one message to ACME within 15 seconds if the server runs.\n',
    });
    expect(readdirSync(inOutbox('order')).sort()).toEqual(['drawing.pdf', 'order.edi', 'send.txt']);
    expect(readFileSync(inOutbox('order/send.txt'), 'utf8')).toBe('order.edi\ndrawing.pdf\n');
    expect(readFileSync(inOutbox('order/drawing.pdf'), 'utf8')).toBe('drawing.pdf');
    expect(await run('send', 'ACME', at('order.edi'), at('drawing.pdf'))).toEqual({
      status: 2,
      output: expect.stringContaining('/outbox/order of acme is there already and waits to be sent; give --folder another name'),
    });
    expect((await run('send', 'ACME', at('order.edi'), at('drawing.pdf'), '--folder', 'order-2')).output).toContain('2 files are /outbox/order-2 of acme now');
  });

  it.each<[string, () => string[], string]>([
    ['two of one name', () => [at('order.edi'), at('other/order.edi')], 'two files are named order.edi; a message has each name once'],
    ['more than there may be', () => Array.from({ length: 65 }, () => at('order.edi')), '65 files; a message has 64 at most'],
    ['the name of the list', () => [at('order.edi'), at('send.txt')], 'send.txt: is no name of a file that is sent; give it another one'],
    ['a folder', () => [at('order.edi'), at('other')], 'other: is no file'],
    ['one that is missing', () => [at('order.edi'), at('missing')], "missing: can't be read (ENOENT)"],
    ['a folder elsewhere', () => [at('order.edi'), '--folder', '../order'], '--folder: "../order" is no name of a folder that is sent'],
  ])('are refused before anything is written: %s', async (_, files, words) => {
    const before = readdirSync(at('files/outbox'));
    expect(await run('send', 'ACME', ...files())).toEqual({ status: 2, output: expect.stringContaining(words) });
    expect(readdirSync(at('files/outbox'))).toEqual(before);
    expect(existsSync(at('files/order'))).toBe(false);
  });
});

it('what is checked names AS2 where it shares the port of HTTPS', async () => {
  const { output } = await ran(configCommand(), 'check', at('config.json'));
  expect(output).toContain('https 0, as2 at /as2 of 0, passive');
});
