/** The internals of ftp-srv 4.6.3 that server/ftps/control/ftp-srv.ts relies on. A new version that changes one fails here, not in production. */

import { version } from 'ftp-srv/package.json';
import registry from 'ftp-srv/src/commands/registry';
import { dependencies, devDependencies } from '../../../../package.json';
import { commandTable } from '../../../../server/ftps/control/commands';
import { openShell } from '../../../../server/ftps/control/ftp-srv';

function shell() {
  const gathered: string[] = [];
  let ended = 0;
  const opened = openShell({
    gather: (text) => gathered.push(text),
    end: () => {
      ended += 1;
    },
  });
  return { shell: opened, gathered, ended: () => ended };
}

it('is pinned to the exact version, which is the one installed', () => {
  expect(devDependencies['ftp-srv']).toBe('4.6.3');
  expect(dependencies).not.toHaveProperty('ftp-srv');
  expect(version).toBe('4.6.3');
});

describe('its registry', () => {
  it('has the commands that are not ours to run and no other', () => {
    const plain = commandTable.all.filter(({ run }) => !run);
    expect(Object.keys(registry).sort()).toEqual(plain.flatMap(({ name, aliases = [] }) => [name, ...aliases]).sort());
  });

  it('keeps its own handlers for the plain commands alone', () => {
    expect(
      commandTable.all
        .filter(({ run }) => !run)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['CDUP', 'CWD', 'MODE', 'NOOP', 'PWD', 'STRU', 'SYST']);
  });

  it('asks for no login: our state table has decided before', () => {
    for (const entry of Object.values(registry)) expect(entry).toMatchObject({ flags: { no_auth: true } });
  });
});

describe('its connection', () => {
  it('is done with a command when its promise is', async () => {
    const { shell: opened, gathered } = shell();
    await opened.handle({ name: 'NOOP', argument: '' });
    expect(gathered.join('')).toMatch(/^200 .*\r\n$/);
  });

  it('asks the file system it was given for the folder, and doubles quotes in its name', async () => {
    const { shell: opened, gathered } = shell();
    let folder = '/';
    opened.useFileSystem({
      currentDirectory: () => folder,
      chdir: async (path) => {
        folder = path === '..' ? '/' : `/${path}`;
        return folder;
      },
    });
    await opened.handle({ name: 'CWD', argument: 'a "b"' });
    await opened.handle({ name: 'PWD', argument: '' });
    await opened.handle({ name: 'CDUP', argument: '' });
    expect(gathered.join('')).toBe('250 "/a ""b"""\r\n257 "/a ""b"""\r\n250 "/"\r\n');
  });

  it('has no file system before the login', async () => {
    const { shell: opened, gathered } = shell();
    await opened.handle({ name: 'PWD', argument: '' });
    expect(gathered.join('')).toMatch(/^550 /);
  });
});
