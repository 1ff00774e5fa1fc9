/** In each test file, before it runs: what goes to standard output and error, and into the audit's file, is kept (see written.ts). */
const { appendFileSync } = require('node:fs');
const promises = require('node:fs/promises');
const { join } = require('node:path');

/** Of one file: enough for every kind of line; a test that writes the same line a hundred thousand times adds nothing. Characters. */
const MOST = 1_000_000;

const folder = process.env.CDK_FTPS_WRITTEN;
const keep = (text) => appendFileSync(join(folder, `written-${process.pid}`), `${text}\n`);

/** Streams and modules of Node's are those of the process, which has many test files one after the other. */
const KEPT = Symbol.for('cdk-ftps.written');

if (folder !== undefined && !promises[KEPT]) {
  promises[KEPT] = true;
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write;
    stream.write = function (chunk, ...rest) {
      keep(chunk);
      return write.call(this, chunk, ...rest);
    };
  }
  // The audit's own file: it is the one that the server appends to.
  const open = promises.open;
  promises.open = async (...args) => {
    const handle = await open(...args);
    if (args[1] !== 'a') return handle;
    const write = handle.write;
    let kept = 0;
    handle.write = (bytes, at, length, ...rest) => {
      if (kept < MOST) keep(bytes.toString('utf8', at, at + Math.min(length, MOST)));
      kept += length;
      return write.call(handle, bytes, at, length, ...rest);
    };
    return handle;
  };
}
