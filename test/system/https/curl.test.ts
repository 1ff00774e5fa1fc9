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

  it('an upload goes on after a cut, on whichever connection; an archive is one that others can read', async () => {
    const bytes = readFileSync(local('large'));
    const metadata = `path ${Buffer.from('/resumed').toString('base64')}`;
    const tus = ['-H', 'tus-resumable: 1.0.0'];
    const begun = await curl('/api/v1/uploads', ...tus, '-X', 'POST', '-H', `upload-length: ${bytes.length}`, '-H', `upload-metadata: ${metadata}`, '-i');
    const at = /^location: (\S+)/im.exec(begun.text)![1]!;
    /** Until a connection comes to the process that has it. */
    const persistently = async (...args: string[]) => {
      for (let tries = 0; ; tries += 1) {
        const answer = await curl(at, ...tus, '-i', ...args);
        if (answer.status !== 423 || tries === 20) return answer;
      }
    };
    for (const [from, to] of [
      [0, 20_000_000],
      [20_000_000, bytes.length],
    ] as const) {
      writeFileSync(local('part'), bytes.subarray(from, to));
      expect((await persistently('-I')).text).toContain(`upload-offset: ${from}\r\n`);
      const part = ['-X', 'PATCH', '-H', 'content-type: application/offset+octet-stream', '-H', `upload-offset: ${from}`, '--data-binary', `@${local('part')}`];
      expect((await persistently(...part)).status).toBe(204);
    }
    expect(readFileSync(join(server.files, 'resumed')).equals(bytes)).toBe(true);
    await curl('/api/v1/archive?path=/resumed&path=/large', '-o', local('both.zip'));
    expect((await run('python3', ['-m', 'zipfile', '-t', local('both.zip')])).stdout).toContain('Done testing');
    expect((await run('unzip', ['-t', local('both.zip')])).stdout).toContain('No errors detected');
    await curl('/api/v1/files/resumed', '-X', 'DELETE');
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
    expect(said('upload complete')).toBe(3);
    expect(said('download complete')).toBeGreaterThanOrEqual(2);
    expect(lines.some((line) => line.class_uid === 4002 && line.http_response.code === 401)).toBe(true);
    expect(JSON.stringify(lines)).not.toContain(readFileSync(local('jar'), 'utf8').trim().split('\t').at(-1));
  });
});
