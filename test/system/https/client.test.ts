/** The client of examples/https-client, made of the server's own description, compiled, and run against it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ServedProcess, serveProcess } from '../support/served';
import { tokenOf } from './token';

const execute = promisify(execFile);
const example = join(__dirname, '../../../examples/https-client');
const installed = join(process.env['CDK_FTPS_CACHE']!, 'https-client/node_modules');

let server: ServedProcess;
let folder: string;
beforeAll(async () => {
  server = await serveProcess('--https-port', '0');
  folder = mkdtempSync(join(tmpdir(), 'ftps-client-'));
  for (const name of ['client.ts', 'package.json', 'tsconfig.json']) cpSync(join(example, name), join(folder, name));
  symlinkSync(installed, join(folder, 'node_modules'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const origin = () => `https://localhost:${server.https}`;
const tool = (name: string, ...args: string[]) => execute(process.execPath, [join(installed, name), ...args], { cwd: folder });

it('its types are those of the description that the server has now', async () => {
  const { stdout } = await execute('curl', ['-sSf', '--cacert', server.ca, `${origin()}/api/v1/openapi.json`]);
  writeFileSync(join(folder, 'openapi.json'), stdout);
  await tool('openapi-typescript/bin/cli.js', 'openapi.json', '-o', 'api.d.ts');
  // `CDK_FTPS_WRITE=1` writes it anew.
  if (process.env['CDK_FTPS_WRITE']) cpSync(join(folder, 'api.d.ts'), join(example, 'api.d.ts'));
  expect(readFileSync(join(folder, 'api.d.ts'), 'utf8')).toBe(readFileSync(join(example, 'api.d.ts'), 'utf8'));
});

it('compiles, makes a folder, sends a file, lists, and fetches it back', async () => {
  await tool('typescript/bin/tsc', '-p', '.');
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(folder, 'report ü.bin'), bytes);
  const env = { ...process.env, FTPS_TOKEN: await tokenOf(server), NODE_EXTRA_CA_CERTS: server.ca };
  for (let count = 0; count < 2; count += 1) {
    const { stdout } = await execute(process.execPath, ['dist/client.js', origin(), 'report ü.bin', 'sent', 'back.bin'], { cwd: folder, env });
    expect(stdout).toContain('sent /sent/report ü.bin: 3000000 bytes, SHA-256 ');
    expect(stdout).toMatch(/^file 3000000 \S+ \/sent\/report ü\.bin$/m);
  }
  expect(readFileSync(join(folder, 'back.bin')).equals(bytes)).toBe(true);
  expect(readFileSync(join(server.files, 'sent/report ü.bin')).equals(bytes)).toBe(true);
});

it('says what is wrong in the words of the server', async () => {
  const env = { ...process.env, FTPS_TOKEN: 'ftps_none', NODE_EXTRA_CA_CERTS: server.ca };
  const failed = execute(process.execPath, ['dist/client.js', origin(), 'package.json', 'sent', 'back.bin'], { cwd: folder, env });
  await expect(failed).rejects.toThrow('refused: Sign in first, or send a token.');
});
