/** Certificates are replaced again and again while transfers run. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { hashPassword } from '../../../server/identity/password';
import { CertificateFolder, servedSerial } from '../../server/support/certificates';
import { PASSWORD, type ServedProcess, serveConfigured } from '../support/served';

const REPLACEMENTS = 50;
const EACH_WAY = 10;
const PIECE = randomBytes(64 * 1024);

let place: CertificateFolder;
let server: ServedProcess;
beforeAll(async () => {
  place = await CertificateFolder.create();
  const accounts = await place.write('accounts.json', JSON.stringify({ accounts: [{ user: 'partner', passwordHash: await hashPassword(PASSWORD) }] }));
  server = await serveConfigured({
    listeners: [
      { mode: 'explicit', host: '127.0.0.1', port: 0 },
      { mode: 'implicit', host: '127.0.0.1', port: 0 },
    ],
    passive: { ports: 'any:4' },
    tls: { certificates: [await place.put('server', await place.authority.issue())] },
    identity: [{ kind: 'file', file: accounts }],
  });
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await place.remove();
});

async function logIn(): Promise<Client> {
  const client = new Client(60_000);
  const secureOptions = { ca: place.authority.pem, host: 'localhost' };
  await client.access({ host: 'localhost', port: server.explicit, user: 'partner', password: PASSWORD, secure: true, secureOptions });
  return client;
}

/** Takes a piece only when it is let; the rest waits in the network. */
class Slow extends Writable {
  bytes = 0;
  private waiting: (() => void) | undefined;
  private free = false;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytes += chunk.length;
    if (this.free) done();
    else this.waiting = done;
  }

  step(): void {
    this.waiting?.();
    this.waiting = undefined;
  }

  finishFreely(): void {
    this.free = true;
    this.step();
  }
}

it(`no transfer fails while the certificate is replaced ${REPLACEMENTS} times, and each new handshake shows the new one`, async () => {
  const downloadBytes = 24 * 1024 * 1024;
  mkdirSync(server.files, { recursive: true });
  writeFileSync(join(server.files, 'download.bin'), Buffer.alloc(downloadBytes, 'd'));
  const clients = await Promise.all(Array.from({ length: 2 * EACH_WAY }, logIn));
  let ended = 0;
  const count = <T>(transfer: Promise<T>) => transfer.finally(() => (ended += 1));

  const uploads = clients.slice(0, EACH_WAY).map((client, index) => {
    const source = new PassThrough();
    return { source, over: count(client.uploadFrom(source, `upload-${index}.bin`)) };
  });
  const downloads = clients.slice(EACH_WAY).map((client) => {
    const target = new Slow();
    return { target, over: count(client.downloadTo(target, 'download.bin')) };
  });

  for (let replacement = 0; replacement < REPLACEMENTS; replacement += 1) {
    const issued = await place.authority.issue({ rsa: replacement % 10 === 9 });
    await place.put('server', issued);
    while ((await servedSerial(server.implicit, { ca: place.authority.pem })) !== issued.serialNumber) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const { source } of uploads) source.write(PIECE);
    for (const { target } of downloads) target.step();
  }
  expect(ended).toBe(0); // all of them ran all the time

  for (const { source } of uploads) source.end();
  for (const { target } of downloads) target.finishFreely();
  await Promise.all([...uploads, ...downloads].map(({ over }) => over));
  for (const client of clients) client.close();

  const whole = Buffer.concat(new Array(REPLACEMENTS).fill(PIECE));
  for (let index = 0; index < EACH_WAY; index += 1) expect(readFileSync(join(server.files, `upload-${index}.bin`)).equals(whole)).toBe(true);
  for (const { target } of downloads) expect(target.bytes).toBe(downloadBytes);
  const events = server.audit().flatMap((line) => (line.class_uid === 6002 && line.unmapped?.event === 'certificate' ? [line.status_detail] : []));
  expect(events.filter((change) => change === 'replaced')).toHaveLength(REPLACEMENTS);
  expect(server.audit().filter((line) => line.class_uid === 4008 && line.status_id === 2)).toEqual([]);
});
