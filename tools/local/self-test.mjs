// Uploads, lists, downloads and compares over both modes with a real client library (basic-ftp). Says what it did.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';

const SIZE = 3_000_000;

/** True where everything was as it should be. */
export async function selfTest({ explicit, implicit, ca, user, password }) {
  let passed = true;
  for (const [mode, port] of [
    ['explicit', explicit],
    ['implicit', implicit],
  ]) {
    try {
      await roundTrip(mode, port, { ca: readFileSync(ca), user, password });
    } catch (error) {
      console.error(`  ${mode} mode failed: ${error.message}`);
      passed = false;
    }
  }
  console.log(passed ? '\nSelf-test passed.' : '\nSelf-test failed.');
  return passed;
}

async function roundTrip(mode, port, { ca, user, password }) {
  const client = new Client(20_000);
  try {
    await client.access({ host: 'localhost', port, user, password, secure: mode === 'implicit' ? 'implicit' : true, secureOptions: { ca, host: 'localhost' } });
    const sent = randomBytes(SIZE);
    const name = `self-test-${mode}.bin`;
    await client.uploadFrom(Readable.from([sent]), name);
    const listed = (await client.list()).find((entry) => entry.name === name);
    if (listed?.size !== SIZE) throw new Error(`the listing says ${listed?.size} bytes instead of ${SIZE}`);
    const received = [];
    await client.downloadTo(
      new Writable({
        write(chunk, _encoding, done) {
          received.push(chunk);
          done();
        },
      }),
      name,
    );
    const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
    const [before, after] = [hash(sent), hash(Buffer.concat(received))];
    if (before !== after) throw new Error(`sent ${before}, received ${after}`);
    await client.remove(name);
    console.log(`  ${mode} mode on port ${port}: uploaded, listed, downloaded ${SIZE} bytes, sha256 ${before.slice(0, 16)}… equal, removed`);
  } finally {
    client.close();
  }
}
