// Runs in a thread of its own: hashes files piece by piece. A piece lies in memory that both threads share, and is answered when it is done with.
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');

const hashes = new Map();

parentPort.on('message', ({ id, algorithm, chunks, end }) => {
  if (chunks) {
    const hash = hashes.get(id) ?? createHash(algorithm);
    hashes.set(id, hash);
    for (const chunk of chunks) hash.update(chunk);
    return parentPort.postMessage({ id });
  }
  const hash = hashes.get(id);
  hashes.delete(id);
  if (end) parentPort.postMessage({ id, digest: hash.digest('hex') });
});
