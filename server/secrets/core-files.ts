/** Keeps passwords out of core files: what a process holds in memory is not written when it crashes. */
import { writeFileSync } from 'node:fs';

/** Leaves out every mapping (core(5), "Controlling which mappings are written to the core dump"); later processes inherit it. Linux only. */
export function keepMemoryOutOfCoreFiles(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // No Linux, or a kernel without core files: there is nothing to keep anything out of.
  }
}
