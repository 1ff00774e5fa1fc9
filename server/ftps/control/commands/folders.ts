/** Folders: where the session is, making and removing. */
import type { Command } from '../command';
import { runLong } from '../long-command';
import { entryAt, resolvePath } from '../paths';
import { maySee } from '../permissions';

export const folders: readonly Command[] = [
  { name: 'PWD', aliases: ['XPWD'], syntax: 'PWD', allowed: 'once-logged-in', argument: 'none' },
  { name: 'CWD', aliases: ['XCWD'], syntax: 'CWD <path>', allowed: 'once-logged-in', argument: 'required', verbatim: true },
  { name: 'CDUP', aliases: ['XCUP'], syntax: 'CDUP', allowed: 'once-logged-in', argument: 'none' },
  {
    name: 'MKD',
    aliases: ['XMKD'],
    syntax: 'MKD <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['mkdir'],
    async run(session, argument) {
      const path = resolvePath(session, argument);
      await session.volume!.mkdir(path);
      session.changed('MKD', path);
      // Quotes are doubled (RFC 959 appendix II).
      return session.reply(257, `"${path.replaceAll('"', '""')}" is there now.`);
    },
  },
  {
    name: 'RMD',
    aliases: ['XRMD'],
    syntax: 'RMD <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['delete'],
    async run(session, argument) {
      const path = resolvePath(session, argument);
      await session.volume!.rmdir(path);
      session.changed('RMD', path);
      return session.reply(250, 'Removed.');
    },
  },
  {
    // draft-peterson-streamlined-ftp-command-extensions-10; WinSCP asks by it.
    name: 'AVBL',
    syntax: 'AVBL [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    needs: ['write', 'list', 'read'],
    features: () => ['AVBL'],
    async run(session, argument) {
      // The home is one account: what is left is the same for every folder, and who may not see folders is not told which there are.
      const seen = maySee(session.account!.permissions);
      if (seen && (await entryAt(session, argument === '' ? '.' : argument, 'directory')).entry.type !== 'directory')
        return session.reply(550, 'Not a directory.');
      const { volume, cwd } = session;
      return runLong(session, {
        command: 'AVBL',
        path: cwd,
        async act() {
          const available = await volume!.available();
          return available === undefined ? { code: 504, text: 'The storage has no limit.' } : { code: 213, text: String(available) };
        },
      });
    },
  },
];
