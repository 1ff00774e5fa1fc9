// Runs in a thread of its own: derives keys from passwords, one after the other, in what processor time transfers leave.
const { pbkdf2Sync, scryptSync } = require('node:crypto');
const { setPriority } = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');

// On Linux a thread has a priority of its own (setpriority(2), "C library/kernel differences"); elsewhere this would be the whole process's.
if (process.platform === 'linux') {
  try {
    setPriority(0, workerData.nice);
  } catch {
    // A sandbox that forbids it: hashing is bounded all the same, and shares the processors as equals.
  }
}

parentPort.on('message', ({ hash, password, maxmem }) => {
  const salt = Buffer.from(hash.salt);
  const key =
    hash.kind === 'scrypt'
      ? scryptSync(password, salt, hash.bytes, { N: 2 ** hash.ln, r: hash.r, p: hash.p, maxmem })
      : pbkdf2Sync(password, salt, hash.iterations, hash.bytes, 'sha256');
  parentPort.postMessage(key);
});
