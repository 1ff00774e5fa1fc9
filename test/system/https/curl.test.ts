/** The built server as a program sees it that has curl: with one process and with workers. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';

const run = promisify(execFile);

describe.each(['1', '2'])('%s workers', (workers) => {
  let server: ServedProcess;
  let folder: string;
  beforeAll(async () => {
    server = await serveProcess('--https-port', '0', '--workers', workers);
    folder = mkdtempSync(join(tmpdir(), 'ftps-curl-'));
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const local = (name: string) => join(folder, name);
  /** Each call is a connection of its own, on any of the workers. */
  const curl = async (path: string, ...args: string[]) => {
    const url = `https://localhost:${server.https}${path}`;
    const { stdout } = await run('curl', ['-sS', '--cacert', server.ca, '-b', local('jar'), '-w', '\n%{http_code}', ...args, url]);
    const [, text = '', status] = /^([\s\S]*)\n(\d+)$/.exec(stdout)!;
    return { status: Number(status), text, json: () => JSON.parse(text) };
  };
  const json = (body: object) => ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];

  it('signs in, once for all connections', async () => {
    expect((await curl('/api/v1/folders')).status).toBe(401);
    expect((await curl('/api/v1/sign-in', '-c', local('jar'), ...json({ user: USER, password: PASSWORD }))).status).toBe(201);
    for (let count = 0; count < 4; count += 1) expect((await curl('/api/v1/sign-in')).json()).toMatchObject({ user: USER });
  });

  it('64 MiB go up and down, and a broken download goes on', async () => {
    const bytes = randomBytes(64 * 1024 * 1024);
    writeFileSync(local('large'), bytes);
    const up = await curl('/api/v1/files/large', '-T', local('large'));
    expect(up).toMatchObject({ status: 201 });
    expect(up.json().sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    await curl('/api/v1/files/large', '-o', local('down'));
    truncateSync(local('down'), 12_345_678);
    expect((await curl('/api/v1/files/large', '-C', '-', '-o', local('down'))).status).toBe(206);
    expect(readFileSync(local('down')).equals(bytes)).toBe(true);
  });

  it('a stream without a length, a list, a move, a removal, and signing out for every connection', async () => {
    expect((await curl('/api/v1/files/streamed', '-H', 'transfer-encoding: chunked', '-T', local('large'))).status).toBe(201);
    expect((await curl('/api/v1/folders?sort=size')).json().entries).toHaveLength(2);
    expect((await curl('/api/v1/moves', ...json({ from: '/streamed', to: '/moved' }))).status).toBe(200);
    expect((await curl('/api/v1/files/moved', '-X', 'DELETE')).status).toBe(204);
    expect((await curl('/api/v1/sign-in', '-X', 'DELETE')).status).toBe(204);
    expect((await curl('/api/v1/folders')).status).toBe(401);
  });

  it('the audit has a line for each', () => {
    const lines = server.audit();
    const said = (part: string) => lines.filter(({ message, unmapped }) => message.includes(part) && unmapped?.protocol === 'https').length;
    expect(said('upload complete')).toBe(2);
    expect(said('download complete')).toBeGreaterThanOrEqual(2);
    expect(lines.some((line) => line.class_uid === 4002 && line.http_response.code === 401)).toBe(true);
    expect(JSON.stringify(lines)).not.toContain(readFileSync(local('jar'), 'utf8').trim().split('\t').at(-1));
  });
});
