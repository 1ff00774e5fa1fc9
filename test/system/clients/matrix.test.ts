/** Every client does everything, in every mode and TLS version that it can; the table in docs/clients.md is what came out. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';
import { basicFtp } from './programs/basic-ftp';
import type { Client, Mode, Step, Version } from './programs/client';
import { curl } from './programs/curl';
import { lftp } from './programs/lftp';
import { opensslClient } from './programs/raw';
import { rclone } from './programs/rclone';
import { commonsNets, ftplib, libcurl, netFtp } from './programs/scripts';
import { type Outcome, writeOrCompare } from './table';

const clients: readonly Client[] = [curl, libcurl, lftp, ftplib, basicFtp, ...commonsNets, netFtp, rclone, opensslClient];
const FILES = 100;

let server: ServedProcess;
let whole: Buffer;
const outcomes: Outcome[] = [];

beforeAll(async () => {
  server = await serveProcess();
  whole = Buffer.alloc(1_500_001);
  for (let at = 0; at + 4 <= whole.length; at += 4) whole.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  writeFileSync(join(server.folder, 'sent.bin'), whole);
  writeFileSync(join(server.folder, 'small.bin'), whole.subarray(0, 5_000));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const local = (name: string) => join(server.folder, name);
const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function perform(client: Client, mode: Mode, version: Version, steps: readonly Step[]): Promise<string> {
  const target = { mode, version, host: 'localhost', port: server[mode], ca: server.ca, user: USER, password: PASSWORD, folder: server.folder };
  const possible = steps.filter(([name]) => !client.cannot.includes(name));
  const { code, output } = await client.run(target, possible);
  if (code !== 0) throw new Error(`exit code ${code}: ${output}\n${JSON.stringify(server.audit().slice(-6), undefined, 1)}`);
  return output;
}

describe.each(clients.flatMap((client) => client.can.map(([mode, version]) => ({ client, name: client.name, mode, version }))))(
  '$name, $mode mode, TLS $version',
  ({ client, name, mode, version }) => {
    it(`logs in, lists, uploads, downloads, resumes, renames, deletes, and moves ${FILES} files`, async () => {
      const folder = `${name}-${mode}-${version}`.replaceAll(/[^\w.-]+/g, '-');
      const there = (path: string) => join(server.files, folder, path);
      const mark = server.audit().length;
      mkdirSync(there('many'), { recursive: true });
      writeFileSync(there('half.bin'), whole.subarray(0, 1_000_000));
      writeFileSync(local('partial.bin'), whole.subarray(0, 500_000));
      rmSync(local('received.bin'), { force: true });

      const listing = await perform(client, mode, version, [
        ['make-folder', `${folder}/made`],
        ['upload', local('sent.bin'), `${folder}/file.bin`],
        ['list', folder],
        ['download', `${folder}/file.bin`, local('received.bin')],
        ['resume-download', `${folder}/file.bin`, local('partial.bin')],
        ['resume-upload', local('sent.bin'), `${folder}/half.bin`],
        ['upload', local('small.bin'), `${folder}/doomed.bin`],
        ['rename', `${folder}/file.bin`, `${folder}/renamed.bin`],
        ['delete', `${folder}/doomed.bin`],
      ]);
      expect(listing).toMatch(/1500001\b.*file\.bin|file\.bin.*1500001/);
      expect(digest(local('received.bin'))).toBe(digest(local('sent.bin')));
      expect(digest(there('renamed.bin'))).toBe(digest(local('sent.bin')));
      if (!client.cannot.includes('resume-download')) expect(digest(local('partial.bin'))).toBe(digest(local('sent.bin')));
      if (!client.cannot.includes('resume-upload')) expect(digest(there('half.bin'))).toBe(digest(local('sent.bin')));
      expect(() => readFileSync(there('doomed.bin'))).toThrow(/ENOENT/);

      await perform(
        client,
        mode,
        version,
        Array.from({ length: FILES }, (_, index): Step => ['upload', local('small.bin'), `${folder}/many/${index}.bin`]),
      );
      for (let index = 0; index < FILES; index += 1) expect(readFileSync(there(`many/${index}.bin`))).toHaveLength(5_000);

      const ties = server
        .audit()
        .slice(mark)
        .flatMap((line) => (line.class_uid === 4001 && line.unmapped?.event === 'tls-established' ? [line] : []));
      expect(new Set(ties.map(({ tls }) => tls?.version))).toEqual(new Set([`TLSv${version}`]));
      const data = ties.map(({ unmapped }) => unmapped?.binding as string | undefined).filter((binding) => binding !== undefined);
      outcomes.push({ client, mode, version, bindings: new Set(data) });
    });
  },
);

it('the table in docs/clients.md says what came out', async () => {
  expect(outcomes).toHaveLength(clients.reduce((sum, { can }) => sum + can.length, 0));
  await writeOrCompare(clients, outcomes);
});

it('the audit has a line for each upload, with its SHA-256, and never the password', () => {
  const uploads = server.audit().flatMap((line) => (line.class_uid === 4008 && line.activity_id === 1 && line.status_id === 1 ? [line] : []));
  expect(uploads.length).toBeGreaterThan(outcomes.length * FILES);
  expect(uploads.every(({ file }) => file?.hashes?.[0]?.value.length === 64)).toBe(true);
  expect(readFileSync(local('audit.json'), 'utf8')).not.toContain(PASSWORD);
});
