/** Clients that don't write from the beginning to the end: mounts, programs in them, scripts, OpenSSH's own. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type S3Server, startS3 } from '../storage/servers';
import { PASSWORD, USER } from '../support/served';
import { knownHosts, openSsh, program } from './clients';
import { type ServedSsh, servedSsh } from './served-ssh';

const MIB = 1024 * 1024;
const python = join(process.env['CDK_FTPS_VENV'] ?? '', 'bin/python');

/** Containers often have no FUSE, and nothing can be mounted then. */
const hasFuse = (() => {
  try {
    closeSync(openSync('/dev/fuse', 'r+'));
    return true;
  } catch {
    return false;
  }
})();

const hashes = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );

describe.each(['a disk', 'S3'] as const)('on %s', (storage) => {
  let s3: S3Server | undefined;
  let served: ServedSsh;
  let work: string;
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'ftps-edits-'));
    if (storage === 'S3') {
      s3 = await startS3('versitygw');
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey });
      const bucket = await s3.newBucket();
      served = await servedSsh({
        storage: { kind: 's3', bucket, endpoint: s3.endpoint, pathStyle: true, region: 'us-east-1', partBytes: 5 * MIB, spool: join(work, 'spool') },
      });
    } else served = await servedSsh();
  });
  afterAll(async () => {
    await served?.stop();
    await s3?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  const sftp = async (...lines: readonly string[]) => {
    const { options, env } = openSsh(served.place, 'key');
    const batch = join(work, 'batch');
    writeFileSync(batch, `${lines.join('\n')}\n`);
    return program('sftp', ['-b', batch, ...options, '-P', String(served.place.port), `${USER}@127.0.0.1`], { env });
  };
  const got = async (path: string) => {
    const file = join(work, 'got');
    await sftp(`get ${path} ${file}`);
    return readFileSync(file);
  };

  (hasFuse ? it : it.skip)(
    'what programs do in a mount of sshfs comes to the same as on a disk',
    async () => {
      const [mount, plain] = [join(work, 'mount'), join(work, 'plain')];
      for (const folder of [mount, plain]) mkdirSync(folder);
      const { options, env } = openSsh(served.place, 'key');
      await sftp('mkdir /mounted');
      // What stays behind it has its output open.
      const mounting = spawn('sshfs', [...options, '-p', String(served.place.port), `${USER}@127.0.0.1:/mounted`, mount], { env, stdio: 'ignore' });
      expect(await once(mounting, 'exit')).toEqual([0, null]);
      try {
        await program('python3', [join(__dirname, 'edits.py'), mount, '7']);
        await program('python3', [join(__dirname, 'edits.py'), plain, '7']);
        // By programs: this process has the way to S3 in it, and must not wait for the mount.
        const sums = (folder: string) => program('sh', ['-c', `cd ${folder} && sha256sum *`]);
        expect(await sums(mount)).toBe(await sums(plain));
      } finally {
        await program('fusermount3', ['-u', mount]);
      }
      await sftp(`get -r /mounted ${join(work, 'back')}`);
      expect(hashes(join(work, 'back'))).toEqual(hashes(plain));
    },
    240_000,
  );

  it('scripts of paramiko and asyncssh change files in place', async () => {
    const { place } = served;
    const job = { host: '127.0.0.1', port: place.port, user: USER, password: PASSWORD, known: knownHosts(place) };
    expect(await program(python, [join(__dirname, 'edits_by_library.py')], { input: JSON.stringify(job) })).toBe('as it should be\n');
  }, 60_000);

  it('sftp copies on the server, and scp over a longer file leaves nothing of it', async () => {
    const bytes = randomBytes(6 * MIB);
    const [file, short] = [join(work, 'file'), join(work, 'short')];
    writeFileSync(file, bytes);
    writeFileSync(short, 'short');
    await sftp(`put ${file} /original`, 'cp /original /copied', 'cd /', 'rename copied moved');
    expect((await got('/moved')).equals(bytes)).toBe(true);
    const { options, env } = openSsh(served.place, 'key');
    await program('scp', ['-s', ...options, '-P', String(served.place.port), short, `${USER}@127.0.0.1:~/moved`], { env });
    expect((await got('/moved')).toString()).toBe('short');
    const told = served.server.audit().map((line) => JSON.stringify(line));
    expect(told.filter((line) => line.includes('"command":"COPY-DATA"') && line.includes('"path":"/copied"'))).toHaveLength(1);
    if (storage === 'a disk') expect(existsSync(join(served.server.files, 'moved'))).toBe(true);
  }, 60_000);
});
