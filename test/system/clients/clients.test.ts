import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PASSWORD, type Ran, run, type ServedProcess, serveProcess, USER } from '../support/served';

let server: ServedProcess;
beforeAll(async () => {
  server = await serveProcess();
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

const inFolder = (name: string) => join(server.folder, name);

/** A file that no compression and no luck makes right. */
async function makeFile(name: string, size: number): Promise<string> {
  const file = await open(inFolder(name), 'w');
  const piece = Buffer.alloc(1 << 20);
  for (let at = 0; at < size; at += piece.length) {
    for (let word = 0; word < piece.length; word += 4096) piece.writeUInt32LE((at + word * 2_654_435_761) >>> 0, word);
    await file.write(piece.subarray(0, Math.min(piece.length, size - at)));
  }
  await file.close();
  return inFolder(name);
}

type Mode = 'explicit' | 'implicit';
type Version = '1.2' | '1.3';

interface ClientProgram {
  upload(mode: Mode, version: Version, file: string, path: string): Promise<Ran>;
  download(mode: Mode, version: Version, path: string, file: string): Promise<Ran>;
  list(mode: Mode, version: Version): Promise<Ran>;
  resumeDownload(mode: Mode, version: Version, path: string, file: string): Promise<Ran>;
  resumeUpload(mode: Mode, version: Version, file: string, path: string): Promise<Ran>;
  many(mode: Mode, version: Version, files: readonly string[]): Promise<Ran>;
}

const url = (mode: Mode) => (mode === 'explicit' ? `ftp://localhost:${server.explicit}/` : `ftps://localhost:${server.implicit}/`);

const curl: ClientProgram = (() => {
  const call = (_mode: Mode, version: Version, ...args: string[]) =>
    run(
      'curl',
      ['-sS', '--config', '-', '--cacert', server.ca, '--ssl-reqd', `--tlsv${version}`, '--tls-max', version, '--no-buffer', ...args],
      `user = "${USER}:${PASSWORD.replaceAll('"', '\\"')}"\n`,
    );
  return {
    upload: (mode, version, file, path) => call(mode, version, '-T', file, `${url(mode)}${path}`),
    download: (mode, version, path, file) => call(mode, version, `${url(mode)}${path}`, '-o', file),
    list: (mode, version) => call(mode, version, url(mode)),
    resumeDownload: (mode, version, path, file) => call(mode, version, '-C', '-', `${url(mode)}${path}`, '-o', file),
    resumeUpload: (mode, version, file, path) => call(mode, version, '-C', '-', '-T', file, `${url(mode)}${path}`),
    many: (mode, version, files) => call(mode, version, ...files.flatMap((file, index) => ['-T', file, `${url(mode)}many/${index}`]), '--ftp-create-dirs'),
  };
})();

const lftp: ClientProgram = (() => {
  const priorities = { '1.2': 'NORMAL:-VERS-ALL:+VERS-TLS1.2', '1.3': 'NORMAL:-VERS-ALL:+VERS-TLS1.3' };
  const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  const call = (mode: Mode, version: Version, ...commands: string[]) => {
    const script = inFolder('commands.lftp');
    writeFileSync(
      script,
      [
        `set ssl:ca-file ${quoted(server.ca)}`,
        `set ssl:priority ${priorities[version]}`,
        'set ftp:ssl-force true',
        'set ftp:ssl-protect-data true',
        'set net:max-retries 1',
        'set cmd:fail-exit true',
        `open -u ${quoted(USER)},${quoted(PASSWORD)} ${url(mode)}`,
        ...commands,
        'bye',
      ].join('\n'),
    );
    return run('lftp', ['-f', script]);
  };
  return {
    upload: (mode, version, file, path) => call(mode, version, `put ${quoted(file)} -o ${quoted(path)}`),
    download: (mode, version, path, file) => call(mode, version, `set xfer:clobber true`, `get ${quoted(path)} -o ${quoted(file)}`),
    list: (mode, version) => call(mode, version, 'ls'),
    resumeDownload: (mode, version, path, file) => call(mode, version, `get -c ${quoted(path)} -o ${quoted(file)}`),
    resumeUpload: (mode, version, file, path) => call(mode, version, `put -c ${quoted(file)} -o ${quoted(path)}`),
    many: (mode, version, files) => call(mode, version, 'mkdir -f many', ...files.map((file, index) => `put ${quoted(file)} -o many/${index}`)),
  };
})();

const combinations = (['curl', 'lftp'] as const).flatMap((name) =>
  (['explicit', 'implicit'] as const).flatMap((mode) => (['1.2', '1.3'] as const).map((version) => ({ name, mode, version }))),
);
const programs = { curl, lftp };

function expectDone({ code, output }: Ran): string {
  if (code !== 0) throw new Error(`exit code ${code}: ${output}`);
  return output;
}

describe.each(combinations)('$name, $mode mode, TLS $version', ({ name, mode, version }) => {
  const program = programs[name];

  it('uploads, lists, downloads, and resumes both ways', async () => {
    const sent = await makeFile('sent.bin', 3_000_001);
    const path = `${name}-${mode}-${version}.bin`;
    const received = inFolder('received.bin');
    expectDone(await program.upload(mode, version, sent, path));
    expect(expectDone(await program.list(mode, version))).toContain(path);
    expectDone(await program.download(mode, version, path, received));
    expect(await sha256(received)).toBe(await sha256(sent));

    const whole = readFileSync(sent);
    writeFileSync(received, whole.subarray(0, 1_000_000));
    expectDone(await program.resumeDownload(mode, version, path, received));
    expect(await sha256(received)).toBe(await sha256(sent));

    writeFileSync(join(server.files, path), whole.subarray(0, 2_000_000));
    expectDone(await program.resumeUpload(mode, version, sent, path));
    expect(await sha256(join(server.files, path))).toBe(await sha256(sent));
  });

  it('uploads 200 files in one session', async () => {
    const small = await makeFile('small.bin', 5_000);
    const before = server.audit().filter(({ class_uid, message }) => class_uid === 3002 && message === 'Login').length;
    expectDone(await program.many(mode, version, new Array<string>(200).fill(small)));
    for (let index = 0; index < 200; index += 1) expect(statSync(join(server.files, 'many', String(index))).size).toBe(5_000);
    expect(server.audit().filter(({ class_uid, message }) => class_uid === 3002 && message === 'Login')).toHaveLength(before + 1);
  });
});

describe.each(combinations.filter(({ version }) => version === '1.3'))('$name, $mode mode', ({ name, mode, version }) => {
  it('carries 1 GiB up and down unchanged', async () => {
    const sent = await makeFile('huge.bin', 1 << 30);
    const program = programs[name];
    expectDone(await program.upload(mode, version, sent, 'huge'));
    expectDone(await program.download(mode, version, 'huge', inFolder('huge-back.bin')));
    expect(await sha256(inFolder('huge-back.bin'))).toBe(await sha256(sent));
  });
});

it('the audit has a line for each of it, with bytes and SHA-256, and never the password', () => {
  const uploads = server.audit().filter((line) => line.class_uid === 4008 && line.activity_id === 1 && line.status_id === 1);
  expect(uploads.length).toBeGreaterThan(1_600);
  expect(uploads.every((line) => line.class_uid === 4008 && line.file?.hashes?.[0]?.value.length === 64)).toBe(true);
  expect(readFileSync(inFolder('audit.json'), 'utf8')).not.toContain(PASSWORD);
});
