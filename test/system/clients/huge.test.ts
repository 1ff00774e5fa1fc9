/** A file of 1 GiB goes up and comes back unchanged. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needRoom } from '../support/room';
import { PASSWORD, type ServedProcess, serveProcess, USER } from '../support/served';
import { curl } from './programs/curl';
import { lftp } from './programs/lftp';

const GIB = 1 << 30;
const PAGE = 4096;

let server: ServedProcess;
let sent: string;
beforeAll(async () => {
  // As the server has it, and as it comes back; what is sent takes a fifth of its size.
  needRoom(tmpdir(), 2.4 * GIB);
  server = await serveProcess();
  sent = join(server.folder, 'huge.bin');
  const file = await open(sent, 'w');
  await file.truncate(GIB);
  // Holes between them; their distance is no multiple of a record of TLS, so that each differs from its neighbours.
  const page = Buffer.alloc(PAGE);
  for (let at = 0; at < GIB; at += 5 * PAGE) {
    for (let word = 0; word < page.length; word += 64) page.writeUInt32LE((at + word * 2_654_435_761) >>> 0, word);
    await file.write(page, 0, Math.min(PAGE, GIB - at), at);
  }
  await file.close();
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

it.each([curl, lftp].flatMap((client) => (['explicit', 'implicit'] as const).map((mode) => ({ client, name: client.name, mode }))))(
  '$name, $mode mode',
  async ({ client, mode }) => {
    const target = {
      mode,
      version: '1.3',
      host: 'localhost',
      port: server[mode],
      ca: server.ca,
      user: USER,
      password: PASSWORD,
      folder: server.folder,
    } as const;
    const back = join(server.folder, 'back.bin');
    const { code, output } = await client.run(target, [
      ['upload', sent, 'huge'],
      ['download', 'huge', back],
    ]);
    expect(`exit code ${code}: ${output}`).toMatch(/^exit code 0/);
    expect(await sha256(back)).toBe(await sha256(sent));
    for (const file of [back, join(server.files, 'huge')]) await rm(file);
  },
);
