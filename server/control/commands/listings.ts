/** Folders to the client: LIST and NLST (RFC 959), MLSD and MLST (RFC 3659 section 7). */
import { posix } from 'node:path';
import type { Entry } from '../../storage/storage';
import { factsLine, listLines, mlstFacts, printable } from '../../transfer/entry-lines';
import { isPattern, matchesPattern } from '../../transfer/glob';
import { sendListing } from '../../transfer/listing';
import { Outgoing } from '../../transfer/outgoing';
import type { Command } from '../command';
import { resolvePath } from '../paths';
import type { Session } from '../session';
import { mayTransfer, paceFor, runTransfer } from '../transfer';

/** What is to be listed: a folder, some of its entries, or one file. */
interface Listed {
  readonly path: string;
  readonly batches: AsyncIterable<readonly Entry[]>;
  /** The folder part as the client wrote it, so that NLST answers with paths that can be used as they are. */
  readonly prefix: string;
}

/** Finds what the argument means. Throws a StorageError where it means nothing, before any data connection is used. */
async function find(session: Session, argument: string): Promise<Listed> {
  const volume = session.volume!;
  const path = resolvePath(session, argument === '' ? '.' : argument);
  const folderPart = argument.slice(0, argument.lastIndexOf('/') + 1);
  if (isPattern(posix.basename(argument))) {
    const exact = await volume.stat(path).catch(() => undefined);
    const pattern = posix.basename(argument);
    if (!exact)
      return { path, prefix: folderPart, batches: filtered(volume.list(resolvePath(session, folderPart || '.')), ({ name }) => matchesPattern(pattern, name)) };
  }
  const entry = await volume.stat(path);
  if (entry.type === 'file') return { path, prefix: folderPart, batches: once(entry) };
  return { path, prefix: argument === '' || argument === '.' ? '' : argument.endsWith('/') ? argument : `${argument}/`, batches: volume.list(path) };
}

async function* filtered(batches: AsyncIterable<readonly Entry[]>, keep: (entry: Entry) => boolean): AsyncIterable<readonly Entry[]> {
  for await (const batch of batches) yield batch.filter(keep);
}

async function* once(entry: Entry): AsyncIterable<readonly Entry[]> {
  yield [entry];
}

async function list(session: Session, command: string, argument: string, lineOf: (entry: Entry, listed: Listed) => string): Promise<void> {
  if (!session.may('list')) return session.reply(550, 'This account may not list.');
  if (!(await mayTransfer(session))) return;
  const listed = await find(session, argument);
  const { stallSeconds } = session.engine.config.limits;
  session.restartAt = 0;
  await runTransfer(session, {
    kind: 'listing',
    command,
    path: listed.path,
    offset: 0,
    opening: 'Here comes the listing.',
    move: async (channel, progress) => {
      await sendListing(listed.batches, (entry) => lineOf(entry, listed), new Outgoing(channel.socket, progress, stallSeconds, paceFor(session, 'download')));
      return {};
    },
    undo: async () => {},
  });
}

/** Some clients send the flags of `ls`; a name that begins with a dash can be written as ./-name. */
function withoutFlags(argument: string): string {
  return argument.replace(/^(-[A-Za-z1]+( |$))+/, '');
}

export const listings: readonly Command[] = [
  {
    name: 'LIST',
    syntax: 'LIST [<path or pattern>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    run: (session, argument) => list(session, 'LIST', withoutFlags(argument), listLines(session.account!.permissions, Date.now())),
  },
  {
    name: 'NLST',
    syntax: 'NLST [<path or pattern>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    run: (session, argument) => list(session, 'NLST', argument, (entry, { prefix }) => `${printable(prefix + entry.name)}\r\n`),
  },
  {
    name: 'MLSD',
    syntax: 'MLSD [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    async run(session, argument) {
      const { type } = await session.volume!.stat(resolvePath(session, argument === '' ? '.' : argument));
      if (type !== 'directory') return session.reply(501, 'MLSD lists folders; send MLST for a file.');
      return list(session, 'MLSD', argument, (entry) => `${factsLine(entry, entry.name, session.mlstFacts, session.account!.permissions)}\r\n`);
    },
  },
  {
    name: 'MLST',
    syntax: 'MLST [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    // The star marks the facts that are sent (RFC 3659 section 7.8).
    features: ({ mlstFacts: chosen }) => [`MLST ${mlstFacts.map((fact) => `${fact}${chosen.has(fact) ? '*' : ''};`).join('')}`],
    async run(session, argument) {
      if (!session.may('list')) return session.reply(550, 'This account may not list.');
      const path = resolvePath(session, argument === '' ? '.' : argument);
      const entry = await session.volume!.stat(path);
      return session.replyBlock(250, `Facts of ${path}`, [factsLine(entry, path, session.mlstFacts, session.account!.permissions)], 'End.');
    },
  },
];
