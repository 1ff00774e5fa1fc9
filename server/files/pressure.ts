/** How much of what there is to run on is in use: of this process's event loop, and of the machine's processors. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Measures from each sample to the next. */
export class Pressure {
  private loop = performance.eventLoopUtilization();
  private processors = processorTimes();

  /** The greater of both shares, 0 to 1, since the sample before. */
  sample(): number {
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.loop);
    const processors = processorTimes();
    const all = processors.all - this.processors.all;
    const used = all > 0 ? 1 - (processors.idle - this.processors.idle) / all : 0;
    this.loop = loop;
    this.processors = processors;
    return Math.max(utilization, used);
  }
}

/** Time of all processors together, and what they were idle of it, as Linux counts (proc_stat(5)). None where that is not to be seen: then the event loop alone says it. */
function processorTimes(): { readonly all: number; readonly idle: number } {
  try {
    const [, ...times] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.trim().split(/\s+/);
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user already.
    const counted = times.slice(0, 8).map(Number);
    return { all: counted.reduce((sum, one) => sum + one, 0), idle: (counted[3] ?? 0) + (counted[4] ?? 0) };
  } catch {
    return { all: 0, idle: 0 };
  }
}
