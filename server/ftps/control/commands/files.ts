/** Single files: removing, renaming, their size, time and hash. */
import { hashOfFile } from '../../../files/hash';
import { StorageError } from '../../../files/storage/storage';
import { namesFolder } from '../../../files/virtual-path';
import { parseTimeValue, timeValue } from '../../transfer/entry-lines';
import type { Command } from '../command';
import { runLong } from '../long-command';
import { entryAt, resolveFile, resolvePath } from '../paths';
import type { Session } from '../session';
import { paceFor } from '../transfer';

const hashes = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const;
/** To an account that may neither list nor read, whether the file is there or not. */
const NOT_SEEN = 'This account may not see files, but those that it uploaded in this session.';

export type HashName = keyof typeof hashes;
export const hashNames = Object.keys(hashes) as HashName[];

/** Replies with the hash of a file, in the form that the command has. */
function hashFile(session: Session, command: string, argument: string, name: HashName, replyOf: (hex: string, size: number) => { code: number; text: string }) {
  const path = resolveFile(session, argument);
  const { account, engine } = session;
  return runLong(session, {
    command,
    path,
    async act(progress) {
      const source = await session.volume!.openRead(path, 0);
      const options = { turns: engine.hashing, owner: account!.user, pace: paceFor(session, 'download') };
      return replyOf(await hashOfFile(source, hashes[name], progress, options), source.size);
    },
  });
}

/** The old commands by which some clients ask for one hash (XSHA256 path). */
function xHash(command: string, name: HashName): Command {
  return {
    name: command,
    syntax: `${command} <path>`,
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['read'],
    features: () => [command],
    run: (session, argument) => hashFile(session, command, argument.replace(/^"(.*)"$/, '$1'), name, (hex) => ({ code: 250, text: hex })),
  };
}

export const files: readonly Command[] = [
  {
    name: 'DELE',
    syntax: 'DELE <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['delete'],
    async run(session, argument) {
      const path = resolveFile(session, argument);
      await session.volume!.remove(path);
      session.changed('DELE', path);
      return session.reply(250, 'Deleted.');
    },
  },
  {
    name: 'RNFR',
    syntax: 'RNFR <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['rename'],
    async run(session, argument) {
      const { path } = await entryAt(session, argument);
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
    needs: ['rename'],
    async run(session, argument) {
      const from = session.renameFrom;
      if (from === undefined) return session.reply(503, 'Send RNFR first.');
      session.renameFrom = undefined;
      const to = resolvePath(session, argument);
      if (namesFolder(argument) && (await session.volume!.stat(from)).type === 'file')
        throw new StorageError('is-directory', 'A file can not get the name of a folder.');
      const { volume, uploads, facts } = session; // the client may be gone when it is done
      return runLong(session, {
        command: 'RNTO',
        path: to,
        async act({ signal }) {
          const outcome = await volume!.rename(from, to, { replace: session.may('write'), signal });
          uploads.renamed(from, to);
          session.changed('RNTO', from, { renamedTo: to, replaced: outcome === 'replaced' || undefined }, facts);
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
    needs: ['list', 'read', 'write'],
    features: () => ['SIZE'],
    async run(session, argument) {
      const path = resolveFile(session, argument);
      if (!session.maySee(path)) return session.reply(550, NOT_SEEN);
      const { type, size } = await session.volume!.stat(path);
      return type === 'file' ? session.reply(213, String(size)) : session.reply(550, 'Not a file.');
    },
  },
  {
    name: 'MDTM',
    syntax: 'MDTM <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['list', 'read', 'write'],
    features: () => ['MDTM'],
    async run(session, argument) {
      if (!session.maySee(resolvePath(session, argument))) return session.reply(550, NOT_SEEN);
      const { entry } = await entryAt(session, argument);
      return session.reply(213, timeValue(entry.modified));
    },
  },
  {
    name: 'MFMT',
    syntax: 'MFMT <YYYYMMDDHHMMSS> <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['write'],
    features: () => ['MFMT'],
    async run(session, argument) {
      const blank = argument.indexOf(' ');
      const time = parseTimeValue(argument.slice(0, Math.max(blank, 0)));
      const name = argument.slice(blank + 1);
      if (!time || name === '') return session.reply(501, 'Write it as MFMT 20260102030405 path, with a time from 1970 to 2105.');
      if (!session.maySee(resolvePath(session, name))) return session.reply(550, NOT_SEEN);
      const { path } = await entryAt(session, name);
      await session.volume!.setModified(path, time);
      session.changed('MFMT', path);
      // What the storage kept, which may be coarser than what was asked for.
      const { modified } = await session.volume!.stat(path);
      return session.reply(213, `Modify=${timeValue(modified)}; ${name}`);
    },
  },
  {
    name: 'HASH',
    syntax: 'HASH <path>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    needs: ['read'],
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
