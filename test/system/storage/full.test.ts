/** The built server on a file system that fills up. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { logIn, type RestartableServer, serveRestartable } from '../support/restartable';
import { needRoom } from '../support/room';
import { BUNDLE, run } from '../support/served';

const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Not the zombie that is left until somebody asks for it. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const MIB = 1024 * 1024;
let server: RestartableServer;
let disk: string;

beforeAll(async () => {
  server = await serveRestartable((files) => {
    disk = join(files, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    return { storage: { kind: 'local', root: disk } };
  });
});
afterAll(async () => {
  await server.kill();
  execFileSync('umount', [disk]);
});

it('refuses what does not fit with 452, leaves nothing of it, keeps what was there, and takes what fits', async () => {
  const client = await logIn(server);
  const available = async () => Number((await client.send('AVBL')).message.slice(4));
  expect(await available()).toBeLessThanOrEqual(8 * MIB);
  await client.uploadFrom(Readable.from(Buffer.alloc(3 * MIB, 'a')), 'kept');
  const before = await available();
  expect(before).toBeLessThanOrEqual(5 * MIB);
  await expect(client.uploadFrom(Readable.from(Buffer.alloc(6 * MIB)), 'large')).rejects.toMatchObject({ code: 452 });
  await expect(client.uploadFrom(Readable.from(Buffer.alloc(6 * MIB)), 'kept')).rejects.toMatchObject({ code: 452 });
  expect(await available()).toBe(before);
  expect(await client.size('kept')).toBe(3 * MIB);
  expect(readdirSync(disk).filter((name) => !name.startsWith('.ftps-'))).toEqual(['kept']);
  await client.uploadFrom(Readable.from(Buffer.alloc(before - 64 * 1024)), 'fits');
  expect(await client.size('fits')).toBe(before - 64 * 1024);
  client.close();
});

it.each([1, 2])(
  'where the audit can not be written, an upload that goes on is ended at once, and the server goes down (workers: %i)',
  async (workers) => {
    let room = '';
    const audited = await serveRestartable((files) => {
      room = join(files, '..', 'room');
      mkdirSync(room);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', room]);
      return { audit: { destination: join(room, 'audit.json') }, workers, passive: { ports: 'any:8' } };
    });
    try {
      const client = await logIn(audited, 20_000);
      const slow = new PassThrough();
      slow.write(Buffer.alloc(3 * MIB));
      const upload = client.uploadFrom(slow, 'slow');
      upload.catch(() => {});
      while (!readdirSync(audited.files, { recursive: true }).some((name) => String(name).startsWith('.ftps-') && String(name).includes('/'))) await tick();
      execFileSync('sh', ['-c', 'dd if=/dev/zero of="$1/filler" bs=4k 2> /dev/null || true', 'sh', room]);
      // Each brings about a line, until there is no room for one.
      for (let line = 0; line < 20 && isAlive(audited.pid); line += 1)
        await logIn(audited, 5_000).then(
          (other) => other.close(),
          () => {},
        );
      await expect(upload).rejects.toThrow(/^4(21|26) |^Premature close$|ECONNRESET/); // what the client sees first
      while (isAlive(audited.pid)) await tick();
      expect(existsSync(join(audited.files, 'slow'))).toBe(false);
    } finally {
      execFileSync('umount', ['-l', room]);
      if (isAlive(audited.pid)) await audited.kill();
      rmSync(audited.folder, { recursive: true, force: true });
    }
  },
  60_000,
);

it('a server whose ready file can not be written ends and says so, and whoever waits for it hears of it', async () => {
  const tiny = mkdtempSync(join(tmpdir(), 'ftps-tiny-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', tiny]);
  try {
    execFileSync('sh', ['-c', 'dd if=/dev/zero of="$1/filler" bs=4k 2> /dev/null || true', 'sh', tiny]);
    const args = ['serve', '--config', server.config, '--ready-file', join(tiny, 'ready.json')];
    const { code, output } = await run(process.execPath, [BUNDLE, ...args]);
    expect(output).toContain('--ready-file: ');
    expect(output).toContain("can't be written (ENOSPC)");
    expect(code).toBe(1);
  } finally {
    execFileSync('umount', ['-l', tiny]);
    rmSync(tiny, { recursive: true });
  }
}, 60_000);

it('a test says what room it needs, instead of waiting', () => {
  expect(() => needRoom(disk, 8 * MIB)).toThrow(/^This test needs 8 MiB free in .*, and [0-7] MiB are\.$/);
  expect(() => needRoom(disk, 4096)).not.toThrow();
});
