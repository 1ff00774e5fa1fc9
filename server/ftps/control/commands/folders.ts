/** Folders: where the session is, making and removing. */
import { runLong } from '../long-command';
import { entryAt, resolvePath } from '../paths';
import type { SessionCommand } from '../session';

export const folders: readonly SessionCommand[] = [
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
    does: 'make-folder',
    async run(session, argument) {
      const path = resolvePath(session, argument);
      await session.files!.makeFolder('MKD', path);
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
    does: 'remove-folder',
    async run(session, argument) {
      const path = resolvePath(session, argument);
      await session.files!.removeFolder('RMD', path);
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
    does: 'available',
    features: () => ['AVBL'],
    async run(session, argument) {
      // The home is one account: what is left is the same for every folder, and who may not see folders is not told which there are.
      const { files, cwd } = session;
      if (files!.maySee() && (await entryAt(session, 'available', argument === '' ? '.' : argument, 'directory')).entry.type !== 'directory')
        return session.reply(550, 'Not a directory.');
      return runLong(session, {
        command: 'AVBL',
        path: cwd,
        async act() {
          const available = await files!.available();
          return available === undefined ? { code: 504, text: 'The storage has no limit.' } : { code: 213, text: String(available) };
        },
      });
    },
  },
];
