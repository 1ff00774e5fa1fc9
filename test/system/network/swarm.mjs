// Many sessions of this host at once. Arguments as JSON: those of a client, `sessions`, `downloads` (names and hashes, one a
// session and round in turn), `uploads` (paths of files to send). After every round of data connections it says how many are
// there, and moves the bytes when told to.
import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { answer, FtpsClient, questions, sha256 } from './ftps.mjs';

const { sessions, rounds, files, ...options } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const clients = Array.from({ length: sessions }, () => new FtpsClient(options));
const next = questions();
const ports = new Set();

// As many clients log in at a time as the listen queue of a small machine takes.
const waiting = [...clients];
await Promise.all(
  Array.from({ length: 50 }, async () => {
    for (let client = waiting.shift(); client; client = waiting.shift()) await client.open();
  }),
);
answer({ open: clients.length });

const problems = [];
for (const kind of rounds) {
  await next.next();
  const begun = await Promise.all(
    clients.map((client, index) => begin(client, index, kind).catch((error) => void problems.push(`${index}: ${error.message}`))),
  );
  answer({ transferring: begun.filter(Boolean).length, ports: ports.size, problems });
  await next.next();
  await Promise.all(begun.map((move, index) => move?.().catch((error) => problems.push(`${index}: ${error.message}`))));
  answer({ problems });
}
for (const client of clients) client.close();
process.exit(0);

/** From EPSV to an encrypted data connection; the bytes are moved by what it answers with. */
async function begin(client, index, kind) {
  const { name, path, hash } = files[index % files.length];
  const port = await client.epsv();
  ports.add(port);
  const opening = await client.send(kind === 'down' ? `RETR ${name}` : `STOR up-${index}`);
  if (!opening.startsWith('150')) throw new Error(opening);
  const data = await client.data(port);
  // The first byte shows that the transfer runs; what follows waits in the connection.
  if (kind === 'down') await once(data, 'readable');
  return async () => {
    if (kind === 'down') {
      const got = await sha256(data);
      if (got.sha256 !== hash) throw new Error(`${got.bytes} bytes of another file than ${name}`);
    } else await pipeline(createReadStream(path), data);
    const reply = await client.reply();
    if (!reply.startsWith('226')) throw new Error(reply);
  };
}
