import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UploadNeeds } from '../../../server/admin/upload-needs';
import { checkServerConfig, type ServerConfig } from '../../../server/config';

let folder: string;
let scanner: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-needs-'));
});
afterEach(() => {
  scanner?.close();
  scanner = undefined;
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

function config(whenUnavailable: 'refuse' | 'release', root = folder): ServerConfig {
  return checkServerConfig({
    listeners: [{ mode: 'explicit', port: 21 }],
    passive: { ports: '50000-50015' },
    tls: { certificates: [{ kind: 'file', certificate: '/c', key: '/k' }] },
    storage: { kind: 'local', root },
    antivirus: { kind: 'clamd', socket: join(folder, 'clamd.sock'), whenUnavailable },
    identity: [{ kind: 'file', file: '/a' }],
    audit: { destination: join(folder, 'audit.json') },
  });
}

function scannerSays(answer: string): Promise<void> {
  scanner = createServer((socket) =>
    socket.on('error', () => {}).once('data', (asked) => socket.end(String(asked) === 'zPING\0' ? answer : 'UNKNOWN COMMAND\0')),
  );
  return new Promise((resolve) => scanner!.listen(join(folder, 'clamd.sock'), resolve));
}

it('an upload is possible when the scanner answers and files can be written', async () => {
  await scannerSays('PONG\0');
  expect(await new UploadNeeds(config('refuse')).states()).toEqual({ scanner: 'up', storage: 'up' });
});

it('a scanner that is not there yet is told, and so is one that says something else', async () => {
  expect(await new UploadNeeds(config('refuse')).states()).toMatchObject({ scanner: expect.stringMatching(/^down: .*ENOENT/) });
  await scannerSays('still reading\0');
  expect(await new UploadNeeds(config('refuse')).states()).toMatchObject({ scanner: 'down: clamd answered "still reading"' });
});

it('where files are released unscanned an upload needs no scanner', async () => {
  expect(await new UploadNeeds(config('release')).states()).toEqual({ storage: 'up' });
});

it('files that are gone are told', async () => {
  expect(await new UploadNeeds(config('release', join(folder, 'unmounted'))).states()).toMatchObject({ storage: expect.stringMatching(/^down: ENOENT/) });
});
