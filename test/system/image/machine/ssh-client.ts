/** OpenSSH's client of this host, for the machine, whose system has none: the programs with their libraries, so that they need nothing there. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../../support/served';

/** Puts them into the folder that the machine has as /host: /host/ssh/ssh, /host/ssh/sftp and /host/ssh/ssh-keyscan. */
export async function bringSshClient(share: string): Promise<void> {
  const folder = join(share, 'ssh');
  mkdirSync(join(folder, 'parts'), { recursive: true });
  for (const name of ['ssh', 'sftp', 'ssh-keyscan']) {
    const program = `/usr/bin/${name}`;
    const { code, output } = await run('ldd', [program]);
    if (code !== 0) throw new Error(`ldd ${program} ended with ${code}: ${output}`);
    const libraries = [...output.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!);
    const loader = libraries.map((file) => basename(file)).find((file) => file.startsWith('ld-linux'));
    for (const file of [program, ...libraries]) copyFileSync(file, join(folder, 'parts', basename(file)));
    const parts = '/host/ssh/parts';
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${parts}/${loader} --library-path ${parts} ${parts}/${name} "$@"\n`, { mode: 0o755 });
  }
}
