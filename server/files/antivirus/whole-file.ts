/** Shows a scanner the whole file that an upload makes, when a part of it is there already: a signature may begin in that part. */
import type { Scan } from './scanner';

/** A scan that takes `kept` before what is written. Writing fails where `kept` can't be read. */
export function wholeFile(scan: Scan, kept: AsyncIterable<Buffer>): Scan {
  let aborted = false;
  let before: Promise<void> | undefined;
  const feedKept = async () => {
    for await (const piece of kept) {
      if (aborted) return;
      await scan.write([piece]);
    }
  };
  return {
    async write(chunks) {
      before ??= feedKept();
      await before;
      await scan.write(chunks);
    },
    async finish() {
      before ??= feedKept();
      await before;
      return scan.finish();
    },
    abort() {
      aborted = true;
      scan.abort();
    },
  };
}
