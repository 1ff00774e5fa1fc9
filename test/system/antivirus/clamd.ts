/** A real clamd with a database of one signature. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The test file of the European Institute for Computer Antivirus Research, in two halves so that no scanner takes this file for it. */
export const EICAR = Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''));
export const SIGNATURE = 'Test.Eicar.UNOFFICIAL';
/** What clamd is told to scan at most. */
export const LARGEST = 1_100 * 1024 * 1024;

export class Clamd {
  readonly socket: string;
  private child: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'ftps-clamd-'));

  constructor() {
    this.socket = join(this.folder, 'clamd.sock');
    mkdirSync(join(this.folder, 'signatures'));
    mkdirSync(join(this.folder, 'temporary'));
    writeFileSync(join(this.folder, 'signatures', 'test.ndb'), `Test.Eicar:0:*:${EICAR.toString('hex')}\n`);
    writeFileSync(
      join(this.folder, 'clamd.conf'),
      `Foreground yes
LocalSocket ${this.socket}
FixStaleSocket yes
DatabaseDirectory ${join(this.folder, 'signatures')}
TemporaryDirectory ${join(this.folder, 'temporary')}
StreamMaxLength ${LARGEST}
MaxFileSize ${LARGEST}
MaxScanSize ${LARGEST}
MaxScanTime 0
LogClean no
`,
    );
  }

  async start(): Promise<void> {
    this.child = spawn('clamd', ['--config-file', join(this.folder, 'clamd.conf')], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: this.child.stdout! })) {
      if (!/Self checking every/.test(line)) continue;
      this.child.stdout!.resume();
      return;
    }
    throw new Error('clamd ended before it listened');
  }

  /** As a crash would end it. */
  async kill(): Promise<void> {
    const exited = once(this.child!, 'exit');
    this.child!.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
