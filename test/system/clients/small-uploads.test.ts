/**
 * Ten small uploads in a row, and nothing between them. Under TLS 1.3 this is the hard case: a client that uses each session once and closes before
 * it has read the next comes to its following data connection with nothing to resume.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { hashPassword } from '../../../server/identity/password';
import { CertificateFolder } from '../../server/support/certificates';
import { PASSWORD, type Ran, type ServedProcess, serveConfigured, USER } from '../support/served';
import type { Client, Step, Version } from './programs/client';
import { curl } from './programs/curl';
import { lftp } from './programs/lftp';
import { commonsNets, ftplib, libcurl } from './programs/scripts';

const UPLOADS = 10;
/** A client that is refused waits for some seconds, each time. */
const FEW = 3;
const SIZE = 300;

let place: CertificateFolder;
let folder: string;
let server: ServedProcess | undefined;
beforeAll(async () => {
  place = await CertificateFolder.create();
  await place.write('ca.pem', place.authority.pem);
  await place.write('accounts.json', JSON.stringify({ accounts: [{ user: USER, passwordHash: await hashPassword(PASSWORD) }] }));
  folder = mkdtempSync(join(tmpdir(), 'ftps-small-'));
  writeFileSync(join(folder, 'small.bin'), Buffer.alloc(SIZE, 'small'));
});
afterEach(async () => {
  expect(await server?.stop()).toBe(0);
  server = undefined;
});
afterAll(() => place.remove());

async function serve(listener: object): Promise<ServedProcess> {
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0, ...listener }],
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [{ kind: 'file', file: place.path('accounts.json') }],
  });
  return server;
}

function upload(client: Client, version: Version, count = UPLOADS): Promise<Ran> {
  const steps = Array.from({ length: count }, (_, index): Step => ['upload', join(folder, 'small.bin'), `${index}.bin`]);
  return client.run(
    { mode: 'explicit', version, host: 'localhost', port: server!.explicit, ca: place.path('ca.pem'), user: USER, password: PASSWORD, folder },
    steps,
  );
}

const bindings = () =>
  server!.audit().flatMap(({ unmapped }) => (unmapped?.event === 'tls-established' && unmapped.binding ? [unmapped.binding as string] : []));

async function expectTen({ code, output }: Ran): Promise<void> {
  expect(`exit code ${code}: ${output}`).toMatch(/^exit code 0/);
  for (let index = 0; index < UPLOADS; index += 1) expect(readFileSync(join(server!.files, `${index}.bin`))).toHaveLength(SIZE);
  await told(() => bindings().length >= UPLOADS);
  expect(bindings()).toHaveLength(UPLOADS);
}

/** The client may be gone before the last line of the audit is written. */
async function told(isThere: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !isThere() && Date.now() < end; ) await after(5);
}

describe('by default, under TLS 1.3', () => {
  it.each([curl, libcurl, lftp, ftplib, ...commonsNets].map((client) => ({ client, name: client.name })))('$name makes all of them', async ({ client }) => {
    await serve({});
    await expectTen(await upload(client, '1.3'));
  });
});

describe('where every data connection must resume', () => {
  it.each([lftp, ftplib].map((client) => ({ client, name: client.name })))('$name makes all of them under TLS 1.3', async ({ client }) => {
    await serve({ dataTlsReuse: 'required' });
    await expectTen(await upload(client, '1.3'));
    expect(new Set(bindings())).toEqual(new Set(['resumed']));
  });

  it.each([curl, libcurl, lftp, ftplib].map((client) => ({ client, name: client.name })))(
    '$name makes all of them on a listener that goes up to TLS 1.2',
    async ({ client }) => {
      await serve({ dataTlsReuse: 'required', maxTlsVersion: 'TLSv1.2' });
      await expectTen(await upload(client, '1.2'));
      expect(new Set(bindings())).toEqual(new Set(['resumed']));
    },
  );

  it('curl under TLS 1.3 is told why at the first upload that it can not tie, and nothing of it is kept', async () => {
    await serve({ dataTlsReuse: 'required' });
    const { code } = await upload(curl, '1.3', FEW);
    const { length } = bindings();
    if (code === 0) return expect(length).toBe(FEW); // a curl that has learned to keep its sessions
    // What curl prints depends on what it notices first, the closed data connection or the reply; the audit has the reply.
    expect(server!.audit().map(({ message }) => message)).toContain('STOR 522');
    expect(new Set(bindings())).toEqual(new Set(['resumed']));
    for (let index = length; index < FEW; index += 1) expect(() => readFileSync(join(server!.files, `${index}.bin`))).toThrow(/ENOENT/);
  });
});
