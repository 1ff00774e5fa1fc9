import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientChannel } from 'ssh2';
import { parseScp, wordsOf } from '../../../server/ssh/scp/command';
import { type SftpServed, sftpServed } from './served';

/** The client sends a part of the file, and no more. */
const CUT = 'cut';

describe('the command', () => {
  it.each([
    ['scp -t /in', { way: 'to', recursive: false, times: false, mustBeFolder: false, paths: ['/in'] }],
    ['scp -v -r -p -d -t -- in', { way: 'to', recursive: true, times: true, mustBeFolder: true, paths: ['in'] }],
    ["scp -qf 'a b' c\\ d \"e'f\"", { way: 'from', recursive: false, times: false, mustBeFolder: false, paths: ['a b', 'c d', "e'f"] }],
  ])('%s', (line, command) => {
    expect(parseScp(line)).toEqual(command);
  });

  it.each(['id', 'scp', 'scp -t', 'scp -t -f /a', 'scp -t a b', 'scp -S evil -f /a', '/usr/bin/scp -t /a', "scp -t '/a", 'scp -t /a\\', 'sh -c scp'])(
    '%s is refused',
    (line) => {
      expect(parseScp(line)).toBeUndefined();
    },
  );

  it('nothing is expanded or run', () => {
    expect(wordsOf('scp -f $(id) `id` "$HOME" ~ a;b|c')).toEqual(['scp', '-f', '$(id)', '`id`', '$HOME', '~', 'a;b|c']);
  });
});

describe('the old protocol, where it is asked for', () => {
  let server: SftpServed;
  beforeAll(async () => {
    server = await sftpServed({ sftp: { scp: true } }, [
      { user: 'demo', home: '/' },
      { user: 'reader', home: '/', permissions: ['read', 'list'] },
    ]);
  });
  afterAll(() => server.close());

  /** Speaks it by hand: sends the pieces, each after the answer to the one before; answers all that came and the status. */
  async function exchange(line: string, pieces: readonly (string | Buffer)[], username = 'demo'): Promise<{ readonly got: Buffer; readonly code: number }> {
    const client = await server.connect({ username });
    const channel = await new Promise<ClientChannel>((resolve, reject) => client.exec(line, (error, stream) => (error ? reject(error) : resolve(stream))));
    const chunks: Buffer[] = [];
    const rest = [...pieces];
    if (line.includes('-f')) channel.write(rest.shift() ?? '\0');
    channel.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const next = rest.shift();
      if (next === CUT) channel.end('only this');
      else if (next !== undefined) channel.write(next);
      else if (line.includes('-t')) channel.end();
      else channel.write('\0');
    });
    const code = await new Promise<number>((resolve) => channel.on('exit', (status: number) => resolve(status)));
    client.end();
    return { got: Buffer.concat(chunks), code };
  }

  it('takes files and folders, with their times', async () => {
    const bytes = randomBytes(200_000);
    const { got, code } = await exchange('scp -r -p -t /', [
      'D0755 0 folder\n',
      'T1000000000 0 1000000000 0\n',
      `C0644 ${bytes.length} a.bin\n`,
      Buffer.concat([bytes, Buffer.from([0])]),
      'E\n',
    ]);
    expect({ got: got.toString('hex'), code }).toEqual({ got: '000000000000', code: 0 });
    expect(readFileSync(join(server.files, 'folder/a.bin')).equals(bytes)).toBe(true);
    expect(statSync(join(server.files, 'folder/a.bin')).mtimeMs).toBe(1_000_000_000_000);
    expect(await server.audit.next('transfer', ({ command }) => command === 'SCP')).toMatchObject({
      transfer: 'upload',
      path: '/folder/a.bin',
      outcome: 'success',
    });
  });

  it('sends files, what a pattern stands for, and folders', async () => {
    writeFileSync(join(server.files, 'x1.txt'), 'one');
    writeFileSync(join(server.files, 'x2.txt'), 'two');
    expect((await exchange('scp -f /x1.txt', ['\0', '\0', '\0'])).got.toString()).toBe('C0644 3 x1.txt\none\0');
    expect((await exchange('scp -f "/x*.txt"', ['\0'])).got.toString()).toBe('C0644 3 x1.txt\none\0C0644 3 x2.txt\ntwo\0');
    mkdirSync(join(server.files, 'sub'), { recursive: true });
    writeFileSync(join(server.files, 'sub/deep.txt'), 'deep');
    expect((await exchange('scp -r -f /sub', ['\0'])).got.toString()).toBe('D0755 0 sub\nC0644 4 deep.txt\ndeep\0E\n');
  });

  it('says what is not there, not allowed, or leads elsewhere', async () => {
    const missing = await exchange('scp -f /not-there', ['\0']);
    expect(missing.got[0]).toBe(1);
    expect(missing.code).toBe(1);
    for (const name of ['..', 'a/b', '.']) expect((await exchange('scp -t /', [`C0644 1 ${name}\n`])).code).toBe(1);
    expect((await exchange('scp -t /', ['C0644 3 no.txt\n'], 'reader')).got.toString()).toContain('may not upload');
    expect(existsSync(join(server.files, 'no.txt'))).toBe(false);
  });

  it('a file that was cut does not appear', async () => {
    await exchange('scp -t /', ['C0644 100 cut.txt\n', CUT]);
    expect(existsSync(join(server.files, 'cut.txt'))).toBe(false);
  });
});
