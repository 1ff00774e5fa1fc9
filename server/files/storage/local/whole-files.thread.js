// Runs in a thread of its own: puts small files into place, each from its first byte to its name on the disk, for one message.
const { closeSync, fsyncSync, openSync, renameSync, writeSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');

parentPort.on('message', ({ path, flags, mode, bytes, target, folder }) => {
  let file;
  try {
    file = openSync(path, flags, mode);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
    renameSync(path, target);
    fsyncSync(folder);
    parentPort.postMessage({});
  } catch ({ code = 'EIO' }) {
    parentPort.postMessage({ code });
  }
  try {
    if (file !== undefined) closeSync(file);
  } catch {
    // what was written is on the disk
  }
});
