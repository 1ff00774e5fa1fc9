/** What a server's processes cost, whichever and however many they are: a control group of their own counts CPU time, also of those that ended. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const V1 = '/sys/fs/cgroup/cpuacct';
const V2 = '/sys/fs/cgroup';

export class Meter {
  private constructor(
    private readonly folder: string,
    private readonly version: 1 | 2,
  ) {}

  /** Makes a group. Throws where the machine lets nobody make one. */
  static create(name: string): Meter {
    const version = existsSync(join(V2, 'cgroup.controllers')) ? 2 : 1;
    const folder = join(version === 2 ? V2 : V1, `ftps-bench-${process.pid}-${name}`);
    mkdirSync(folder, { recursive: true });
    return new Meter(folder, version);
  }

  /** Words for a shell that moves itself into the group before it becomes the server. */
  get enter(): string {
    return `echo $$ > ${join(this.folder, 'cgroup.procs')}`;
  }

  cpuSeconds(): number {
    if (this.version === 1) return Number(readFileSync(join(this.folder, 'cpuacct.usage'), 'utf8')) / 1e9;
    return Number(/usage_usec (\d+)/.exec(readFileSync(join(this.folder, 'cpu.stat'), 'utf8'))![1]) / 1e6;
  }

  pids(): number[] {
    return readFileSync(join(this.folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** Memory of all processes together, shared pages counted once (proportional set size), in KiB. */
  memoryKib(): number {
    return this.pids().reduce((sum, pid) => {
      try {
        return sum + Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]);
      } catch {
        return sum; // ended just now
      }
    }, 0);
  }

  /** Ends what is left in the group and removes it. */
  async close(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) {
      const left = this.pids();
      if (left.length === 0) break;
      for (const pid of left) {
        try {
          process.kill(pid, turn < 25 ? 'SIGTERM' : 'SIGKILL');
        } catch {
          // ended just now
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    try {
      rmdirSync(this.folder);
    } catch {
      // a process that is still dying keeps it; it goes with the machine
    }
  }
}
