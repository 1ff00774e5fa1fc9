/**
 * Where uploads lie until they are whole: `<root>/.ftps-staging/<owner>/`, on the same file system as the homes, so that putting
 * one into place is a rename. Each process has a folder of its own, named so that after a crash another can tell it is dead.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGING } from '../../virtual-path';
import { Folder } from './folder';
import { PREPARED } from './prepared';

/** Staging of other machines (several instances on one EFS) is taken for abandoned after that long. */
const ABANDONED_MS = 24 * 3_600_000;

export class Staging {
  private folder: Promise<Folder> | undefined;

  constructor(private readonly root: string) {}

  /** This process's staging folder, made when first asked for. */
  open(): Promise<Folder> {
    this.folder ??= this.make().catch((error: unknown) => {
      this.folder = undefined; // what was wrong may have passed when it is asked for again
      throw error;
    });
    return this.folder;
  }

  private async make(): Promise<Folder> {
    const path = join(this.root, STAGING, await ownName());
    await mkdir(path, { recursive: true, mode: 0o700 });
    return Folder.open(path);
  }

  newName(): string {
    return String(names++);
  }

  /** Removes what dead processes left, file by file: there may be very many. */
  async *sweep(): AsyncGenerator<void> {
    const parent = join(this.root, STAGING);
    const names = await readdir(parent).catch(() => []);
    yield;
    const [machine] = (await ownName()).split('.');
    for (const name of names) {
      if (name === PREPARED) continue;
      const path = join(parent, name);
      const [itsMachine, pid] = name.split('.');
      const abandoned =
        itsMachine === machine ? name !== `${machine}.${pid}.${await startOf(Number(pid))}` : Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS;
      if (!abandoned) continue;
      const folder = await Folder.open(path);
      try {
        for await (const batch of folder.names())
          for (const file of batch) {
            await folder.remove(file).catch(() => {}); // another process sweeps as well
            yield;
          }
      } finally {
        await folder.close();
      }
      await rm(path, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    const folder = await this.folder?.catch(() => undefined);
    await folder?.close();
    if (folder) await rm(join(this.root, STAGING, await ownName()), { recursive: true, force: true });
  }
}

/** Names given in this process, whose folder nobody else writes into. */
let names = 0;

let name: Promise<string> | undefined;

/** `<machine since its boot>.<pid>.<start of the process>`: a pid alone may have been given to another process. */
function ownName(): Promise<string> {
  name ??= (async () => {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'local');
    return `${boot.trim().replaceAll('-', '').slice(0, 12)}.${process.pid}.${await startOf(process.pid)}`;
  })();
  return name;
}

/** When a process started, in clock ticks since boot (proc(5), field 22 of stat); 0 where there is none. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}
