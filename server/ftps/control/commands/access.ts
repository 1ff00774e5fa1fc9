/** Who is there: USER, PASS and what belongs to them. */
import { Networks } from '../../../config';
import type { ClientCertificate, Verdict } from '../../../identity/identity';
import { nothing } from '../command';
import type { Session, SessionCommand } from '../session';

/** One text for every reason, so that nobody learns which accounts there are. */
const REFUSED = 'Login incorrect.';

async function logIn(session: Session, login: string, password: string): Promise<void> {
  const { limits, identity } = session.engine;
  const standing = await limits.beginLogin(session.address, identity.nameOf(login));
  if (standing === 'locked-out') return refuse(session, login, { kind: 'refused', reason: 'locked-out' });
  if (session.ended) return limits.loginUndecided(session.address, identity.nameOf(login)); // it left while it waited for its turn
  const credentials = { user: login, password, certificate: session.certificate, address: session.address, isKnown: standing === 'known' };
  return settle(session, login, await decided(session, login, identity.authenticate(credentials)));
}

/** Waits for the verdict. What is thrown leaves no attempt that nobody ends. */
async function decided(session: Session, login: string, verdict: Promise<Verdict>): Promise<Verdict> {
  try {
    return await verdict;
  } catch (error) {
    const { limits, identity } = session.engine;
    limits.loginUndecided(session.address, identity.nameOf(login));
    throw error;
  }
}

/** Acts on a verdict, and ends the attempt that was begun for it. */
async function settle(session: Session, login: string, verdict: Verdict): Promise<void> {
  const { audit, limits, identity } = session.engine;
  const name = identity.nameOf(login);
  if (verdict.kind === 'unavailable') {
    limits.loginUndecided(session.address, name);
    audit.record({ kind: 'login', outcome: 'unavailable', login, reason: verdict.reason, ...session.facts });
    await session.reply(421, 'Accounts can not be checked at the moment; try again later.');
    return session.close('error');
  }
  if (verdict.kind === 'refused') return refuse(session, login, verdict);
  const { account, method, source } = verdict;
  if (isInside(account.deniedNetworks, session.address) || isOutside(account.allowedNetworks, session.address))
    return refuse(session, login, { kind: 'refused', reason: 'address-not-allowed', source });
  if (session.ended) return limits.loginUndecided(session.address, name); // it left while its password was checked, and takes nobody's place
  const succeeded = limits.loginSucceeded(session.address, name, !session.hasLoggedIn).then((succeeds) => {
    session.hasLoggedIn ||= succeeds;
    return succeeds;
  });
  session.deciding = succeeded;
  if (!(await succeeded)) return refuse(session, login, { kind: 'refused', reason: 'locked-out' });
  session.deciding = undefined;
  if (!(await limits.admitAccount(account.user, account.maxSessions))) {
    audit.record({ kind: 'login', outcome: 'failure', login, source, reason: 'too-many-sessions', ...session.facts });
    await session.reply(421, 'Too many sessions of this account.');
    return session.close('refused');
  }
  let entered = false;
  try {
    entered = await session.logIn(account);
  } finally {
    if (!entered) limits.releaseAccount(account.user);
  }
  if (!entered) return; // the client left while its password was checked
  session.failedLogins = 0;
  audit.record({ kind: 'login', outcome: 'success', login, method, source, ...session.facts });
  return session.reply(method === 'certificate' ? 232 : 230, 'Logged in.');
}

async function refuse(session: Session, login: string, verdict: Extract<Verdict, { kind: 'refused' }>): Promise<void> {
  const { audit, limits, identity, config } = session.engine;
  audit.record({ kind: 'login', outcome: 'failure', login, source: verdict.source, reason: verdict.reason, ...session.facts });
  if (verdict.reason !== 'locked-out') {
    for (const { scope, seconds } of await limits.loginFailed(session.address, identity.nameOf(login)))
      audit.record({ kind: 'lockout', scope, login, seconds, ...session.facts });
  }
  session.failedLogins += 1;
  session.user = undefined;
  if (session.failedLogins < config.limits.loginAttempts) return session.reply(530, REFUSED);
  await session.reply(421, `${REFUSED} Too many attempts.`);
  session.close('refused');
}

/** Asks whether the certificate alone is enough. False where it isn't, and a password has to say who it is. */
async function logInByCertificate(session: Session, login: string, certificate: ClientCertificate): Promise<boolean> {
  const { limits, identity } = session.engine;
  const name = identity.nameOf(login);
  if ((await limits.beginLogin(session.address, name)) === 'locked-out') return false;
  const verdict = await decided(session, login, identity.authenticateByCertificate({ user: login, certificate, address: session.address }));
  if (verdict.kind === 'accepted') await settle(session, login, verdict);
  else limits.loginUndecided(session.address, name);
  return verdict.kind === 'accepted';
}

function isInside(networks: readonly string[], address: string): boolean {
  return networks.length > 0 && new Networks(networks).contains(address);
}

function isOutside(networks: readonly string[], address: string): boolean {
  return networks.length > 0 && !new Networks(networks).contains(address);
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
      if (session.certificate && (await logInByCertificate(session, argument, session.certificate))) return;
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
