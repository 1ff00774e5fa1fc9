/** In each test file, before it runs: what goes to standard output and error, and into files that are appended to, is kept (see written.ts). */
const { appendFileSync } = require('node:fs');
const promises = require('node:fs/promises');
const { join } = require('node:path');

/** Of one file: enough for every kind of line; a test that writes the same line a hundred thousand times adds nothing. Characters. */
const MOST = 1_000_000;

const folder = process.env.CDK_FTPS_WRITTEN;
const keep = (text) => appendFileSync(join(folder, `written-${process.pid}`), `${text}\n`);

if (folder !== undefined) {
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
    const append = handle.appendFile;
    let kept = 0;
    handle.appendFile = (data, ...rest) => {
      if (kept < MOST) keep(data.slice(0, MOST));
      kept += data.length;
      return append.call(handle, data, ...rest);
    };
    return handle;
  };
}
