/** Single files: removing, renaming, their size, time and hash. */
import { StorageError } from '../../../files/account-files';
import { namesFolder } from '../../../files/virtual-path';
import { parseTimeValue, timeValue } from '../../transfer/entry-lines';
import { runLong } from '../long-command';
import { entryAt, resolveFile, resolvePath } from '../paths';
import type { Session, SessionCommand } from '../session';

const hashes = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;

export type HashName = keyof typeof hashes;
export const hashNames = Object.keys(hashes) as HashName[];

/** Replies with the hash of a file, in the form that the command has. */
function hashFile(session: Session, command: string, argument: string, name: HashName, replyOf: (hex: string, size: number) => { code: number; text: string }) {
  const path = resolveFile(session, argument);
  const files = session.files!; // the client may be gone when its turn comes
  return runLong(session, {
    command,
    path,
    async act(progress) {
      const { hex, size } = await files.hash(path, hashes[name], progress);
      return replyOf(hex, size);
    },
  });
}

/** The old commands by which some clients ask for one hash (XSHA256 path). */
function xHash(command: string, name: HashName): SessionCommand {
  return {
    name: command,
    syntax: `${command} <path>`,
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'hash',
    features: () => [command],
    run: (session, argument) => hashFile(session, command, argument.replace(/^"(.*)"$/, '$1'), name, (hex) => ({ code: 250, text: hex })),
  };
}

export const files: readonly SessionCommand[] = [
  {
    name: 'DELE',
    syntax: 'DELE <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'remove',
    async run(session, argument) {
      const path = resolveFile(session, argument);
      await session.files!.remove('DELE', path);
      return session.reply(250, 'Deleted.');
    },
  },
  {
    name: 'RNFR',
    syntax: 'RNFR <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'rename',
    async run(session, argument) {
      session.renameFrom = undefined; // the one of before is not meant, whatever comes of this
      const { path } = await entryAt(session, 'rename', argument);
      session.renameFrom = path;
      return session.reply(350, 'Send RNTO with the new name.');
    },
  },
  {
    name: 'RNTO',
    syntax: 'RNTO <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'rename',
    async run(session, argument) {
      const from = session.renameFrom;
      if (from === undefined) return session.reply(503, 'Send RNFR first.');
      session.renameFrom = undefined;
      const to = resolvePath(session, argument);
      if (namesFolder(argument) && (await session.files!.find('rename', from)).type === 'file')
        throw new StorageError('is-directory', 'A file can not get the name of a folder.');
      const files = session.files!; // the client may be gone when it is done
      return runLong(session, {
        command: 'RNTO',
        path: to,
        async act({ signal }) {
          await files.rename('RNTO', from, to, { replace: true, signal });
          return { code: 250, text: 'Renamed.' };
        },
      });
    },
  },
  {
    name: 'SIZE',
    syntax: 'SIZE <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'stat',
    features: () => ['SIZE'],
    async run(session, argument) {
      const path = resolveFile(session, argument);
      const { type, size } = await session.files!.find('stat', path);
      return type === 'file' ? session.reply(213, String(size)) : session.reply(550, 'Not a file.');
    },
  },
  {
    name: 'MDTM',
    syntax: 'MDTM <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'stat',
    features: () => ['MDTM'],
    async run(session, argument) {
      const { entry } = await entryAt(session, 'stat', argument);
      return session.reply(213, timeValue(entry.modified));
    },
  },
  {
    name: 'MFMT',
    syntax: 'MFMT <YYYYMMDDHHMMSS> <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'set-time',
    features: () => ['MFMT'],
    async run(session, argument) {
      const blank = argument.indexOf(' ');
      const time = parseTimeValue(argument.slice(0, Math.max(blank, 0)));
      const name = argument.slice(blank + 1);
      if (!time || name === '') return session.reply(501, 'Write it as MFMT 20260102030405 path, with a time from 1970 to 2105.');
      const { path } = await entryAt(session, 'set-time', name);
      // What the storage kept, which may be coarser than what was asked for.
      const { modified } = await session.files!.setModified('MFMT', path, time);
      return session.reply(213, `Modify=${timeValue(modified)}; ${name}`);
    },
  },
  {
    name: 'HASH',
    syntax: 'HASH <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    does: 'hash',
    // The star marks the one that is chosen (draft-bryan-ftp-hash section 3).
    features: ({ hashName }) => [`HASH ${hashNames.map((name) => (name === hashName ? `${name}*` : name)).join(';')}`],
    async run(session, argument) {
      const { hashName } = session;
      return hashFile(session, 'HASH', argument, hashName, (hex, size) => ({
        code: 213,
        text: `${hashName} 0-${Math.max(size - 1, 0)} ${hex} ${argument}`,
      }));
    },
  },
  xHash('XSHA256', 'SHA-256'),
  xHash('XSHA512', 'SHA-512'),
];
