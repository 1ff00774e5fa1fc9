/** Who is there: USER, PASS and what belongs to them. */
import type { LoginEnd } from '../../../sessions/logins';
import { nothing } from '../command';
import type { Session, SessionCommand } from '../session';

/** One text for every reason, so that nobody learns which accounts there are. */
const REFUSED = 'Login incorrect.';

async function logIn(session: Session, login: string, password: string): Promise<void> {
  const { certificate, address } = session;
  const { identity } = session.engine;
  return told(
    session,
    await session.logins.attempt(login, (isKnown) => identity.authenticate({ user: login, password, certificate, address, isKnown, protocol: 'ftps' })),
  );
}

/** Replies to the end of an attempt. */
async function told(session: Session, end: LoginEnd): Promise<void> {
  switch (end.kind) {
    case 'accepted':
      return session.reply(end.method === 'certificate' ? 232 : 230, 'Logged in.');
    case 'unavailable':
      await session.reply(421, 'Accounts can not be checked at the moment; try again later.');
      return session.close('error');
    case 'too-many-sessions':
      await session.reply(421, 'Too many sessions of this account.');
      return session.close('refused');
    case 'refused':
      session.user = undefined;
      if (!end.isLast) return session.reply(530, REFUSED);
      await session.reply(421, `${REFUSED} Too many attempts.`);
      return session.close('refused');
    case 'gone':
      return;
  }
}

export const access: readonly SessionCommand[] = [
  {
    name: 'USER',
    syntax: 'USER <name>',
    allowed: 'until-logged-in',
    argument: 'required',
    verbatim: true,
    async run(session, argument) {
      if (Buffer.byteLength(argument) > 256) return session.reply(501, 'The name is too long.');
      session.user = argument;
      // Whether the certificate alone is enough.
      const { certificate, address } = session;
      const { identity } = session.engine;
      const end =
        certificate &&
        (await session.logins.attemptByProof(
          argument,
          () => identity.authenticateByCertificate({ user: argument, certificate, address, protocol: 'ftps' }),
          ({ kind }) => kind === 'accepted',
        ));
      if (end) return told(session, end);
      return session.reply(331, 'Send the password.');
    },
  },
  {
    name: 'PASS',
    syntax: 'PASS <password>',
    allowed: 'once-named',
    argument: 'optional',
    verbatim: true,
    audited: nothing,
    run: (session, argument) => logIn(session, session.user!, argument),
  },
  {
    name: 'ACCT',
    syntax: 'ACCT <account>',
    allowed: 'once-secured',
    argument: 'optional',
    verbatim: true,
    audited: nothing,
    async run(session) {
      return session.reply(202, 'There are no further accounts here.');
    },
  },
  {
    name: 'REIN',
    syntax: 'REIN',
    allowed: 'once-secured',
    argument: 'none',
    async run(session) {
      session.reinitialize();
      return session.reply(220, 'Ready for a new user.');
    },
  },
  {
    name: 'QUIT',
    syntax: 'QUIT',
    allowed: 'always',
    argument: 'none',
    async run(session) {
      await session.reply(221, 'Goodbye.');
      session.close('quit');
    },
  },
  {
    name: 'HOST',
    syntax: 'HOST <name>',
    allowed: 'until-named',
    argument: 'required',
    features: () => ['HOST'],
    async run(session, argument) {
      if (!/^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?)$/i.test(argument) || argument.length > 253)
        return session.reply(501, 'Write it as HOST ftp.example.com.');
      // There is one set of accounts whatever the name (RFC 7151 section 3.1 leaves that to the server).
      return session.reply(220, 'Host accepted.');
    },
  },
];
