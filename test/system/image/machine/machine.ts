/** A machine of its own: the image's files installed into a Debian system that boots with its own systemd, in a kernel that is a program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { run } from '../../support/served';

const IMAGE = join(__dirname, '../../../../dist/image');
const GUEST = join(__dirname, 'guest');

/** What `setup.sh` keeps. */
function kept(pattern: RegExp): string {
  const cache = process.env['CDK_FTPS_CACHE']!;
  const name = readdirSync(cache).find((one) => pattern.test(one));
  if (!name) throw new Error(`${pattern} is not in ${cache}; test/system/image/setup.sh makes it`);
  return join(cache, name);
}

export interface Disk {
  readonly file: string;
  /** Lines that the install script wrote. */
  readonly installed: string;
}

/**
 * Installs the image's files, as the build of an image does, and makes a disk of the system. `before` is a script that runs in the system before
 * the install script, `after` one that runs behind it.
 */
export async function makeDisk(folder: string, name: string, { before = '', after = '' }: { before?: string; after?: string } = {}): Promise<Disk> {
  const root = join(folder, `${name}-root`);
  mkdirSync(root, { mode: 0o755 });
  try {
    await succeed('tar', ['-C', root, '-xf', kept(/^image-root-.*\.tar$/)]);
    chmodSync(root, 0o755); // other users live in it
    copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
    cpSync(IMAGE, join(root, 'opt/ftps-install'), { recursive: true });
    for (const [file, target, mode] of GUEST_FILES) {
      mkdirSync(join(root, target, '..'), { recursive: true });
      copyFileSync(join(GUEST, file), join(root, target));
      chmodSync(join(root, target), mode);
    }
    const script = `set -e
      ${before}
      getent passwd cwagent > /dev/null || useradd --system --shell /usr/sbin/nologin cwagent && mkdir -p /opt/aws/amazon-cloudwatch-agent/etc # they come with the log agent
      NODE=/usr/local/bin/node bash /opt/ftps-install/install.sh /opt/ftps-install
      rm -r /opt/ftps-install
      systemctl -q mask clamav-freshclam.service clamav-daemon.service clamav-daemon.socket
      systemctl -q enable console.service edge.service
      ${after}`;
    const environment = ['PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];
    const inside = ['--mount', '--pid', '--fork', 'bash', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', root];
    const installed = await succeed('unshare', [...inside, '/usr/bin/env', '-i', ...environment, 'bash', '-c', script]);
    rmSync(join(root, 'etc/resolv.conf'), { force: true });
    symlinkSync('../run/resolv.conf', join(root, 'etc/resolv.conf'));
    const file = join(folder, `${name}.disk`);
    await succeed('mke2fs', ['-q', '-t', 'ext4', '-O', '^metadata_csum', '-E', 'lazy_itable_init=1', '-d', root, file, '2G']);
    return { file, installed };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const GUEST_FILES: readonly (readonly [string, string, number])[] = [
  ['console.service', 'etc/systemd/system/console.service', 0o644],
  ['test-console', 'usr/local/sbin/test-console', 0o755],
  ['edge.service', 'etc/systemd/system/edge.service', 0o644],
  ['edge.mjs', 'usr/local/lib/edge.mjs', 0o644],
  ['aws', 'usr/local/bin/aws', 0o755],
  ['rsyslog.conf', 'etc/rsyslog.conf', 0o644],
  ['amazon-cloudwatch-agent-ctl', 'opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl', 0o755],
  ['amazon-cloudwatch-agent.service', 'etc/systemd/system/amazon-cloudwatch-agent.service', 0o644],
];

async function succeed(command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await run(command, [...args]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`);
  return output;
}

/** What a script in the machine said, and its exit code. */
export interface Said {
  readonly code: number;
  readonly output: string;
}

export class Machine {
  private readonly waiting = new Map<string, (code: number) => void>();
  private scripts = 0;
  private consoleText = '';

  private constructor(
    private readonly kernel: ChildProcess,
    /** Folder of the host that the machine has as /host. */
    readonly share: string,
  ) {}

  /**
   * Boots a disk; what the machine writes goes into a file beside it, so the disk stays as it was. Boots on with those changes where there are some.
   * `second` is the disk of a machine that is down, as it left it: /dev/ubdb.
   */
  static async boot({ file }: Disk, { second, memory = '1536M' }: { second?: Disk | undefined; memory?: string } = {}): Promise<Machine> {
    const share = `${file}.share`;
    mkdirSync(share, { recursive: true });
    const line = [
      'root=/dev/ubda',
      'rw',
      `mem=${memory}`,
      'con=null',
      'con0=null,fd:1',
      'ssl=null',
      'ssl0=fd:3',
      'quiet',
      'random.trust_bootloader=on',
      `share=${share}`,
    ];
    const disks = second ? [`ubd1=${withChanges(second.file)}`] : [];
    const kernel = spawn(kept(/^image-kernel-[0-9a-f]+$/), [`ubd0=${withChanges(file)}`, ...disks, ...line, 'systemd.show_status=no'], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true, // each process of the machine is one of the host, in its group
      env: { PATH: process.env['PATH'], HOME: share, TMPDIR: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
    });
    const machine = new Machine(kernel, share);
    const up = new Promise<void>((resolve, reject) => {
      const lines: Interface = createInterface({ input: kernel.stdio[3] as NodeJS.ReadableStream });
      lines.on('line', (text) => (text === 'up' ? resolve() : machine.heard(text)));
      kernel.once('exit', () => {
        machine.gone();
        reject(new Error(`the machine went down while it booted:\n${machine.said}`));
      });
      kernel.once('error', reject);
    });
    for (const stream of [kernel.stdout, kernel.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        machine.consoleText += text;
      });
    await up;
    return machine;
  }

  /** What kernel and init wrote to the console. */
  get said(): string {
    return this.consoleText;
  }

  /** Runs a script as root, and returns what it wrote to both outputs. */
  async run(script: string): Promise<Said> {
    this.scripts += 1;
    const name = `script-${process.hrtime.bigint()}-${this.scripts}`;
    writeFileSync(join(this.share, name), script);
    const code = await new Promise<number>((resolve) => {
      this.waiting.set(name, resolve);
      (this.kernel.stdio[3] as NodeJS.WritableStream).write(`${name}\n`);
    });
    return { code, output: code < 0 ? this.consoleText.slice(-2000) : readFileSync(join(this.share, `${name}.said`), 'utf8') };
  }

  /** As `run`; throws an Error with what it wrote where it fails. */
  async expect(script: string): Promise<string> {
    const { code, output } = await this.run(script);
    if (code !== 0) throw new Error(`exit code ${code} of\n${script}\n${output}`);
    return output;
  }

  /** Shuts down as an operator does. */
  async shutDown(): Promise<void> {
    void this.run('systemctl --no-block poweroff');
    if (this.kernel.exitCode === null && this.kernel.signalCode === null) await once(this.kernel, 'exit');
  }

  /** As when the power goes. */
  async cutPower(): Promise<void> {
    if (this.kernel.exitCode !== null || this.kernel.signalCode !== null) return;
    const exited = once(this.kernel, 'exit');
    process.kill(-this.kernel.pid!, 'SIGKILL');
    await exited;
  }

  private heard(line: string): void {
    const [name, code] = line.split(' ');
    this.waiting.get(name!)?.(Number(code));
    this.waiting.delete(name!);
  }

  /** Scripts that ran are over. */
  private gone(): void {
    for (const over of this.waiting.values()) over(-1);
    this.waiting.clear();
  }
}

/** A disk as the kernel is told of it: first the file for what is written. */
const withChanges = (file: string) => `${file}.changes,${file}`;

/** A folder for disks, on a file system with room for them. */
export function diskFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ftps-machine-'));
}
