/** The lines of curl in docs/https.md, as they stand there, one behind the other. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';
import { tokenOf } from './token';

const execute = promisify(execFile);
const lines = readFileSync(join(__dirname, '../../../docs/https.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('curl '));

let server: ServedProcess;
let folder: string;
beforeAll(async () => {
  server = await serveProcess('--https-port', '0');
  folder = mkdtempSync(join(tmpdir(), 'ftps-guide-'));
  for (const name of ['in', 'out']) mkdirSync(join(server.files, name));
  writeFileSync(join(folder, 'report.csv'), 'a,b\n');
  writeFileSync(join(server.files, 'out/report.csv'), 'c,d\n');
  writeFileSync(join(server.files, 'out/large.bin'), randomBytes(1_000_000));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('each is answered as it should be, with what the one before has made', async () => {
  expect(lines.length).toBeGreaterThanOrEqual(9);
  const token = await tokenOf(server);
  let link = '';
  for (const line of lines) {
    const filled = line
      .replaceAll('HOST', `localhost:${server.https}`)
      .replaceAll('LINK', link)
      .replaceAll('demo:TOKEN', `${USER}:${token}`)
      .replaceAll('"demo"', JSON.stringify(USER))
      .replaceAll('"PASSWORD"', JSON.stringify(PASSWORD))
      .replace(/^curl /, 'curl -sS --fail-with-body ');
    const { stdout } = await execute('bash', ['-c', filled], { cwd: folder, env: { ...process.env, CURL_CA_BUNDLE: server.ca } }).catch((error) => {
      throw new Error(`${line}\n${error.stdout}${error.stderr}`);
    });
    link = /"url":"[^"]*\/l\/([^"]+)"/.exec(stdout)?.[1] ?? link;
  }
  expect(readFileSync(join(folder, 'large.bin'))).toEqual(readFileSync(join(server.files, 'out/large.bin')));
  expect(readFileSync(join(folder, 'got.csv'), 'utf8')).toBe('c,d\n');
  expect(readFileSync(join(server.files, 'in/report.csv'), 'utf8')).toBe('a,b\n');
  expect(readFileSync(join(server.files, 'out/moved.csv'), 'utf8')).toBe('a,b\n');
});
