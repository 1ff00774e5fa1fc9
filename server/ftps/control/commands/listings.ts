/** Folders to the client: LIST and NLST (RFC 959), MLSD and MLST (RFC 3659 section 7). */
import type { Entry } from '../../../files/account-files';
import { factsLine, listLines, mlstFacts, onOneLine } from '../../transfer/entry-lines';
import { sendListing } from '../../transfer/listing';
import { Outgoing } from '../../transfer/outgoing';
import { find, type Listed } from '../listed';
import { entryAt } from '../paths';
import type { Session, SessionCommand } from '../session';
import { mayTransfer, runTransfer } from '../transfer';

async function list(session: Session, command: string, argument: string, lineOf: (entry: Entry, listed: Listed) => string): Promise<void> {
  if (!(await mayTransfer(session))) return;
  const listed = await find(session, argument);
  const { stallSeconds } = session.engine.config.limits;
  const files = session.files!;
  const { path, batches } = listed;
  const listing = files.openListing(command, path);
  const { progress } = listing;
  await runTransfer(session, {
    command,
    path,
    direction: 'out',
    progress,
    opening: 'Here comes the listing.',
    move: (connect) =>
      listing.send(async () => {
        const { socket } = await connect();
        await sendListing(batches, (entry) => lineOf(entry, listed), new Outgoing(socket, progress, stallSeconds, files.downloadPace));
      }),
    discard: async () => {},
  });
}

export const listings: readonly SessionCommand[] = [
  {
    name: 'LIST',
    syntax: 'LIST [<path or pattern>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    does: 'list',
    run: (session, argument) => list(session, 'LIST', argument, listLines(session.account!.permissions, Date.now())),
  },
  {
    name: 'NLST',
    syntax: 'NLST [<path or pattern>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    does: 'list',
    run: (session, argument) => list(session, 'NLST', argument, (entry, { prefix }) => `${onOneLine(prefix + entry.name)}\r\n`),
  },
  {
    name: 'MLSD',
    syntax: 'MLSD [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    does: 'list',
    async run(session, argument) {
      const { entry } = await entryAt(session, 'list', argument === '' ? '.' : argument, 'directory');
      if (entry.type !== 'directory') return session.reply(501, 'MLSD lists folders; send MLST for a file.');
      const { permissions } = session.account!;
      return list(session, 'MLSD', argument, (entry) => `${factsLine(entry, entry.name, session.mlstFacts, permissions)}\r\n`);
    },
  },
  {
    name: 'MLST',
    syntax: 'MLST [<path>]',
    allowed: 'once-logged-in',
    argument: 'optional',
    verbatim: true,
    does: 'list',
    // The star marks the facts that are sent (RFC 3659 section 7.8).
    features: ({ mlstFacts: chosen }) => [`MLST ${mlstFacts.map((fact) => `${fact}${chosen.has(fact) ? '*' : ''};`).join('')}`],
    async run(session, argument) {
      const { path, entry } = await entryAt(session, 'list', argument === '' ? '.' : argument);
      // The blank before the facts is theirs (RFC 3659 section 7.2); some clients throw without it.
      return session.replyBlock(250, `Facts of ${path}`, [` ${factsLine(entry, path, session.mlstFacts, session.account!.permissions)}`], 'End.');
    },
  },
];
