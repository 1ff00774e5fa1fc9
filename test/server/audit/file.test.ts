/** The file of the audit is kept within its share of the disk, and what is left of it can still be verified. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyChain } from '../../../server/audit/chain';
import type { Audit, ServerEvent } from '../../../server/audit/event';
import type { FileSettings } from '../../../server/audit/file';
import { watchRoom } from '../../../server/audit/room';
import { type AuditSink, openAudit, openTarget } from '../../../server/audit/sink';

const facts = {
  session: 's1',
  protocol: 'ftps' as const,
  listener: 'explicit' as const,
  client: { address: '192.0.2.1', port: 4000 },
  server: { address: '192.0.2.2', port: 21 },
};
const login: ServerEvent = { kind: 'login', outcome: 'failure', login: 'eve', reason: 'wrong-password', ...facts };
const KIB = 1024;
const rotate = { bytes: 20 * KIB, minutes: 1_440, keepBytes: 1024 * KIB, freeBytes: 1 };

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-audit-file-'));
  file = join(folder, 'audit.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(overrides: Partial<typeof rotate> = {}): Promise<AuditSink & { readonly free: number[] }> {
  const settings = { ...rotate, ...overrides };
  const free: number[] = [];
  const events = watchRoom(
    () => audit,
    settings.freeBytes,
    (bytes) => free.push(bytes),
  );
  const audit: AuditSink = openAudit(await openTarget({ destination: file, sync: false, rotate: settings } satisfies FileSettings, events), (error) => {
    throw error;
  });
  return Object.assign(audit, { free });
}

it('files are named in the order of their lines also after the clock was set back, and none takes the place of another', async () => {
  const ahead = join(folder, 'audit-20990101T000000.000Z.json');
  await writeFile(ahead, 'lines of before\n'); // written while the clock was ahead
  const audit = await open();
  await write(audit, 100);
  await audit.close();
  const names = (await readdir(folder)).filter((name) => name.startsWith('audit-')).sort();
  expect(names.slice(0, 3)).toEqual(['audit-20990101T000000.000Z.json', 'audit-20990101T000000.001Z.json', 'audit-20990101T000000.002Z.json']);
  expect(await readFile(ahead, 'utf8')).toBe('lines of before\n');
  const lines = (await Promise.all(names.slice(1).map((name) => readFile(join(folder, name), 'utf8')))).join('') + (await readFile(file, 'utf8'));
  expect((await verifyChain(lines.split('\n'))).breaks).toEqual([]);
});

it.each(['null', '{"chains":7}', '{"chains":[null]}', '{"chains":[{"id":1}]}', 'no JSON'])(
  'a line that somebody made up, of a file that was deleted, is a break and ends nothing: %s',
  async (made) => {
    const open = `{"unmapped":${made},"event":"audit-dropped","more":{"chain":{"id":"00000000-0000-4000-8000-000000000000","previous":"${'0'.repeat(64)}"`;
    const hash = createHash('sha256').update(open).digest('hex');
    const verified = await verifyChain([`${open},"hash":"${hash}"}}}`]);
    expect(verified).toMatchObject({ dropped: 0, breaks: [{ line: 1, what: 'changed' }] });
  },
);

/** Some KiB of lines, in writes of their own. */
async function write(audit: Audit, kibibytes: number): Promise<void> {
  for (let written = 0; written < kibibytes * KIB; written += 10 * 900) {
    for (let line = 0; line < 10; line += 1) audit.record(login);
    await audit.flush();
  }
}

const names = async () => (await readdir(folder)).sort();
const lines = async (of: readonly string[]) => (await Promise.all(of.map((name) => readFile(join(folder, name), 'utf8')))).join('').trimEnd().split('\n');

it('begins anew by size and by age; the files of the folder, by their names, are one chain', async () => {
  const audit = await open();
  await write(audit, 100);
  await audit.close();
  const files = await names();
  expect(files.length).toBeGreaterThan(3);
  expect(files.at(-1)).toBe('audit.json');
  for (const name of files) expect((await stat(join(folder, name))).size).toBeLessThan(40 * KIB);
  expect((await verifyChain(await lines(files))).breaks).toEqual([]);

  for (const name of files) await rm(join(folder, name));
  const clock = jest.spyOn(Date, 'now');
  const old = await open();
  old.record(login);
  await old.flush();
  clock.mockReturnValue(Date.now() + 1_441 * 60_000);
  old.record(login);
  await old.close();
  clock.mockRestore();
  expect(await names()).toHaveLength(2);
});

it('of more than its share, deletes what was read since its last line, the oldest first, and keeps what nobody has read', async () => {
  const first = await open();
  await write(first, 100);
  await first.close();
  const before = (await names()).slice(0, -1);
  const future = new Date(Date.now() + 1_000);
  for (const name of before.slice(1)) await utimes(join(folder, name), future, (await stat(join(folder, name))).mtime);
  const second = await open({ keepBytes: 60 * KIB });
  await write(second, 30);
  await second.close();
  const left = await names();
  expect(left).toContain(before[0]);
  expect(left).not.toContain(before[1]);
  expect(left).not.toContain(before[2]);
  // One of the middle is gone, so the chain of the first run has a gap, and says where: nothing but the deleted file may be missing.
  const dropped = (await lines(left)).map((line) => JSON.parse(line)).filter((line) => line.unmapped.event === 'audit-dropped');
  expect(dropped.map((line) => [line.unmapped.what, line.unmapped.reason, line.status])).toEqual(
    before.slice(1, 1 + dropped.length).map((name) => [name, 'keepBytes', 'Success']),
  );
  expect((await verifyChain(await lines(left))).breaks).toEqual([]);
});

it('what the server deleted is no break, and what somebody else deleted is one', async () => {
  const audit = await open({ keepBytes: 1, freeBytes: Number.MAX_SAFE_INTEGER });
  await write(audit, 100);
  await audit.close();
  const left = await names();
  const verification = await verifyChain(await lines(left));
  expect(verification).toMatchObject({ chains: 1, breaks: [] });
  expect(verification.dropped).toBeGreaterThan(0);

  const further = await open();
  await write(further, 50);
  await further.close();
  const more = await names();
  expect((await verifyChain(await lines(more))).breaks).toEqual([]);
  expect((await verifyChain((await lines(more)).slice(1))).breaks.map(({ what }) => what)).toContain('beginning-missing');
});

it('says that the disk is short of room, long before it is full', async () => {
  const audit = await open({ freeBytes: Number.MAX_SAFE_INTEGER, bytes: 1024 * KIB });
  await write(audit, 50);
  await audit.close();
  expect(audit.free.every((bytes) => bytes > 0)).toBe(true);
  const said = (await lines(await names())).map((line) => JSON.parse(line)).filter((line) => line.unmapped.event === 'health');
  expect(said.map((line) => [line.unmapped.part, line.unmapped.state])).toEqual([['audit', 'down']]);
  expect(said[0].unmapped.detail).toMatch(/^short of room: \d+ MiB are free/);
});

it('after a line that a crash or a full disk cut short, the next one stands by itself', async () => {
  await writeFile(file, '{"time":1');
  const audit = await open();
  await write(audit, 1);
  await audit.close();
  const { breaks } = await verifyChain(await lines(await names()));
  expect(breaks).toEqual([{ line: 1, what: 'not-readable' }]);
});
