/** A room of its own for the commands of the documentation (room.sh), in which scripts are run as a reader would type them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { EICAR } from '../antivirus/clamd';
import { type Ran, run } from '../support/served';

const root = join(__dirname, '../../..');

/** Of every account in the room, and what is typed where a password is asked for. */
export const PASSWORD = 'a-good-pass-4-the-docs';

export class Room {
  private scripts = 0;

  private constructor(
    readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /** `everything`: with `npm start` and an AWS account beside the server. */
  static async open(contents: 'server' | 'everything'): Promise<Room> {
    const folder = mkdtempSync(join(tmpdir(), 'ftps-docs-'));
    clone(join(folder, 'clone'));
    const room = spawn(
      'unshare',
      ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', join(__dirname, 'room.sh'), folder, contents],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, EICAR_HEX: EICAR.toString('hex'), PASSWORD },
      },
    );
    const late = setTimeout(() => room.kill(), 240_000);
    const said: string[] = [];
    for await (const line of createInterface({ input: room.stdout! })) {
      if (line === 'ready') {
        clearTimeout(late);
        return new Room(folder, room);
      }
      said.push(line);
    }
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`the room could not be made:\n${said.join('\n')}`);
  }

  /** A fresh folder in which a guide is followed: the clone, with what `npm start` has made in it. */
  fresh(): string {
    const folder = mkdtempSync(join(this.folder, 'guide-'));
    clone(folder);
    symlinkSync(join(this.folder, 'clone/.ftps'), join(folder, '.ftps'));
    return folder;
  }

  /** A script of bash in the room; it ends with the first command that fails. There is no terminal: passwords are taken from the input. */
  async run(script: string, { cwd = this.folder, input = '' }: { readonly cwd?: string; readonly input?: string } = {}): Promise<Ran> {
    const file = join(this.folder, `script-${this.scripts++}`);
    writeFileSync(`${file}.input`, input);
    // Each command of it has the input from its beginning.
    writeFileSync(file, `. ${this.folder}/environment\ncd ${cwd}\ntrap 'exec < ${file}.input' DEBUG\n${script}\n`);
    const own = `/proc/${this.process.pid}/ns`;
    const namespaces = [`--net=${own}/net`, `--mount=${own}/mnt`, `--pid=${own}/pid_for_children`];
    return run('setsid', ['--wait', 'nsenter', ...namespaces, 'bash', '-euo', 'pipefail', file]);
  }

  async leave(): Promise<void> {
    const exited = once(this.process, 'exit');
    this.process.stdin!.end();
    await exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What `git clone` and `npm ci` give, and the server that was built. */
function clone(folder: string): void {
  const made = ['.git', '.git/', ...readFileSync(join(root, '.gitignore'), 'utf8').split('\n')];
  const isMade = (path: string) => made.includes(`${basename(path)}/`) || made.includes(basename(path)) || made.includes(`/${relative(root, path)}/`);
  cpSync(root, folder, { recursive: true, filter: (path) => path === root || !isMade(path) });
  // A folder of its own with links: whatever is installed or removed in the clone, it is not here.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')).filter((one) => one !== '.package-lock.json'))
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  cpSync(join(root, 'node_modules/.package-lock.json'), join(folder, 'node_modules/.package-lock.json'));
  cpSync(join(root, 'dist/image'), join(folder, 'dist/image'), { recursive: true });
  cpSync(join(root, 'dist/lambda'), join(folder, 'dist/lambda'), { recursive: true });
}
