/** A small disk that has the audit, and strangers who would fill it: service goes on, and what is dropped for room is told. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attack } from './attack';
import { type Watched, watched } from './watched';
import { Wire } from './wire';

const MIB = 1024 * 1024;
/** What the disk holds, and what the server is to leave free of it. */
const DISK = 16 * MIB;
const FREE = 4 * MIB;

let folder: string;
let disk: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-small-disk-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([1, 2])('%i workers', (workers) => {
  let server: Watched;
  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk]);
    server = await watched({
      workers,
      audit: { destination: join(disk, 'audit.json'), rotate: { bytes: 256 * 1024, minutes: 1_440, keepBytes: 1024 * MIB, freeBytes: FREE } },
    });
  });
  afterAll(async () => {
    await server.stop().catch(() => {}); // its audit was not where the others have it
    execFileSync('umount', ['-l', disk]);
  });

  it('is not filled by what strangers make the audit say, nor by what an account does: the oldest goes, and another session is served', async () => {
    const wire = await Wire.loggedIn(server);
    let attacking = true;
    const attacks = (async () => {
      for (const name of ['refused-commands', 'connects', 'garbage-for-a-hello', 'nuls'] as const) await attack(name, server.ports.explicit, 2);
      attacking = false;
    })();
    let least = DISK;
    const lines = Array.from({ length: 200 }, (_, at) => `RETR ${'none'.repeat(50)}-${at}\r\n`).join('');
    while (attacking) {
      // Refused commands of an account are a line each.
      wire.write(lines);
      expect(await wire.answered()).toBe(true);
      const { bavail, bsize } = statfsSync(disk);
      least = Math.min(least, bavail * bsize);
    }
    await attacks;
    process.stdout.write(`full disk: ${JSON.stringify({ workers, least, files: readdirSync(disk).length })}\n`);
    expect(server.crashed()).toBe(false);
    // Room is made when a file is begun anew, at 256 KiB; each worker has one meanwhile.
    expect(least).toBeGreaterThan(FREE / 2);
    // Files are begun anew, and others go, while this looks.
    const told = () =>
      readdirSync(disk)
        .map((name) => (existsSync(join(disk, name)) ? readFileSync(join(disk, name), 'utf8') : ''))
        .join('');
    while (!told().includes('audit-dropped')) await new Promise((resolve) => setTimeout(resolve, 50));
    wire.write('QUIT\r\n');
  }, 60_000);
});
