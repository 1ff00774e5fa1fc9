/** SITE: what this server offers beyond the standard (RFC 959 section 4.1.3). */

import type { SessionInfo } from '../../../sessions/session-info';
import { printable } from '../../../text/printable';
import type { Session, SessionCommand } from '../session';

interface SiteCommand {
  readonly name: string;
  readonly syntax: string;
  /** Whether this session may use it; where not, it is as if it were not there. */
  readonly offered: (session: Session) => boolean;
  readonly run: (session: Session) => Promise<void>;
}

/** Lines of one WHO: enough for a person, and a bound for the control connection. */
const MOST_SHOWN = 1_000;

function whoLine({ user, address, listener, since, transfer }: SessionInfo): string {
  const doing = transfer ? `${transfer.command} ${transfer.path} (${transfer.bytes} bytes in ${Math.round(transfer.seconds)} s)` : 'idle';
  return printable(` ${user ?? '(not logged in)'} ${address} ${listener} since ${since} ${doing}`);
}

const siteCommands: readonly SiteCommand[] = [
  {
    name: 'HELP',
    syntax: 'SITE HELP',
    offered: () => true,
    run: (session) =>
      session.replyBlock(
        214,
        'SITE commands:',
        offeredTo(session).map(({ syntax }) => ` ${syntax}`),
        'End.',
      ),
  },
  {
    name: 'WHO',
    syntax: 'SITE WHO',
    offered: ({ account }) => account?.admin ?? false,
    async run(session) {
      const sessions = await session.engine.who();
      const more = sessions.length > MOST_SHOWN ? [` and ${sessions.length - MOST_SHOWN} more`] : [];
      return session.replyBlock(200, `${sessions.length} sessions:`, [...sessions.slice(0, MOST_SHOWN).map(whoLine), ...more], 'End.');
    },
  },
];

function offeredTo(session: Session): readonly SiteCommand[] {
  return siteCommands.filter(({ offered }) => offered(session));
}

/** The name of the SITE command, in capitals. */
const nameIn = (argument: string) => argument.split(' ', 1)[0]!.toUpperCase();

export const site: readonly SessionCommand[] = [
  {
    name: 'SITE',
    syntax: 'SITE <command>',
    allowed: 'once-logged-in',
    argument: 'required',
    verbatim: true,
    // Elsewhere SITE PSWD changes a password: what follows the name may be a secret.
    audited: nameIn,
    run(session, argument) {
      const name = nameIn(argument);
      const command = offeredTo(session).find((one) => one.name === name);
      if (command) return command.run(session);
      if (name === 'CHMOD' || name === 'UMASK') return session.reply(504, 'Modes are set by the server and can not be changed.');
      if (name === 'UTIME') return session.reply(504, 'Send MFMT to set the time of a file.');
      return session.reply(504, 'There is no such SITE command; send SITE HELP.');
    },
  },
];
