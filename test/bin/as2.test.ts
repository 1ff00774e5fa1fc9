/** `ftps as2`: what an operator is told. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { as2Command } from '../../bin/commands/as2';
import { exitCodeOf, explain } from '../../bin/commands/exit';
import { party } from '../server/as2/served';
import { freePort } from '../server/support/free-port';

const folder = mkdtempSync(join(tmpdir(), 'ftps-as2-command-'));
const at = (name: string) => join(folder, name);
beforeAll(async () => {
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
      partners: [{ as2Id: 'ACME', account: 'acme', url: `https://127.0.0.1:${await freePort()}/as2`, certificates: [at('acme.pem')] }],
    },
    storage: { kind: 'local', root: at('files') },
    tls: { certificates: [own] },
    identity: [{ kind: 'file', file: at('accounts.json') }],
  };
  writeFileSync(at('config.json'), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]) {
  let output = '';
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += text;
    return true;
  });
  const before = process.exitCode;
  try {
    await as2Command().parseAsync([...args, '--config', at('config.json')], { from: 'user' });
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
  expect(await check()).toEqual({ status: 0, output: 'Long Files  in order\n' });
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
