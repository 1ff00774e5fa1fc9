/** What is held in memory once what nobody holds any more is gone. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Twice: the second waits until the buffers that the first one found are given back. */
export function collectGarbage(): void {
  collect();
  collect();
}

/** The heap and the buffers beside it. Bytes. */
export function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
