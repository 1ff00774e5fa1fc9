/** Where the next data connection comes from or goes to (RFC 959, RFC 2428). */
import { isIPv4 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActiveTarget, LOWEST_ACTIVE_PORT } from '../../data/active';
import { DataConnectionError } from '../../data/channel';
import type { PassiveOffer } from '../../data/passive-offer';
import { type Endpoint, epsvText, parseEprt, parsePort, pasvText, sameAddress } from '../../data/port-arguments';
import type { Session, SessionCommand } from '../session';

/**
 * How long the reply to EPSV is held back. curl (7.88, of Debian 12, and others of its time) looks for the reply right after it
 * has sent the command; where it is there already, curl forgets to connect and wakes up a whole second later. A reply
 * that comes with the next turn of its event loop spares every other transfer that second. Timers count in whole milliseconds: it is one
 * at least.
 */
const REPLY_DELAY_MS = 2;
/** A client that sends PASV is probably not curl; where it comes that late to the port, its next replies are held back too. */
const LATE_MS = 800;

/** The IPv4 address for PASV; undefined where there is none for this client. */
function advertisedTo({ origin, address, facts }: Session): Promise<string | undefined> {
  return origin.advertised.for(address, facts.server.address);
}

/** Reserves a passive port, or replies why not. */
async function offer(session: Session, held: boolean): Promise<PassiveOffer | undefined> {
  session.pendingData?.cancel();
  session.pendingData = undefined;
  try {
    const [reserved] = await Promise.all([session.engine.passive.offer(session), held && sleep(REPLY_DELAY_MS)]);
    session.expectData(reserved);
    return reserved;
  } catch (error) {
    if (!(error instanceof DataConnectionError)) throw error;
    await session.reply(425, `${error.message}.`);
    return undefined;
  }
}

/** PORT and EPRT after their address was read: only ever back to the client itself (RFC 2577 section 3). */
async function aimAt(session: Session, target: Endpoint): Promise<void> {
  const { active, audit } = session.engine;
  if (!active.enabled) return session.reply(502, 'Active mode is switched off; send PASV or EPSV.');
  if (session.onlyEpsv) return session.reply(503, 'After EPSV ALL only EPSV is allowed.');
  if (!sameAddress(target.address, session.address) || target.port < LOWEST_ACTIVE_PORT) {
    audit.record({ kind: 'refused', channel: 'data', reason: 'bounce', detail: `${target.address} port ${target.port}`, ...session.facts });
    return session.reply(504, `Only your own address, ports ${LOWEST_ACTIVE_PORT} and up, can be connected to.`);
  }
  const localAddress = session.origin.server ? undefined : session.facts.server.address;
  session.expectData(new ActiveTarget(session, target.port, localAddress, active));
  return session.reply(200, 'The server will connect to you.');
}

export const dataConnection: readonly SessionCommand[] = [
  {
    name: 'PASV',
    syntax: 'PASV',
    allowed: 'once-logged-in',
    argument: 'none',
    features: async (session) => (session.onlyEpsv || !(await advertisedTo(session)) ? [] : ['PASV']),
    async run(session) {
      if (session.onlyEpsv) return session.reply(503, 'After EPSV ALL only EPSV is allowed.');
      const address = await advertisedTo(session);
      if (!address) return session.reply(425, isIPv4(session.address) ? 'The address for PASV is not known now; send EPSV.' : 'PASV needs IPv4; send EPSV.');
      const reserved = await offer(session, session.isLateToConnect);
      if (!reserved) return;
      await session.reply(227, pasvText(address, reserved.port));
      const repliedAt = performance.now();
      reserved.whenTaken = () => {
        session.isLateToConnect ||= performance.now() - repliedAt > LATE_MS;
      };
    },
  },
  {
    name: 'EPSV',
    syntax: 'EPSV [1|2|ALL]',
    allowed: 'once-logged-in',
    argument: 'optional',
    features: () => ['EPSV'],
    async run(session, argument) {
      if (argument.toUpperCase() === 'ALL') {
        session.onlyEpsv = true;
        return session.reply(200, 'EPSV ALL: only EPSV from now on.');
      }
      const own = isIPv4(session.facts.server.address) ? '1' : '2';
      if (argument !== '' && argument !== own) return session.reply(/^\d+$/.test(argument) ? 522 : 501, `Network protocol not supported, use (${own})`);
      const reserved = await offer(session, true);
      if (reserved) await session.reply(229, epsvText(reserved.port));
    },
  },
  {
    name: 'PORT',
    syntax: 'PORT <h1,h2,h3,h4,p1,p2>',
    allowed: 'once-logged-in',
    argument: 'required',
    async run(session, argument) {
      const target = parsePort(argument);
      return target ? aimAt(session, target) : session.reply(501, 'Write it as PORT h1,h2,h3,h4,p1,p2.');
    },
  },
  {
    name: 'EPRT',
    syntax: 'EPRT |<1 or 2>|<address>|<port>|',
    allowed: 'once-logged-in',
    argument: 'required',
    features: ({ engine, onlyEpsv }) => (engine.active.enabled && !onlyEpsv ? ['EPRT'] : []),
    async run(session, argument) {
      const target = parseEprt(argument);
      if (target === 'unsupported') return session.reply(522, 'Network protocol not supported, use (1,2)');
      return target ? aimAt(session, target) : session.reply(501, 'Write it as EPRT |1|192.0.2.1|5282|.');
    },
  },
  {
    name: 'ABOR',
    syntax: 'ABOR',
    allowed: 'once-logged-in',
    argument: 'none',
    duringTransfer: true,
    async run(session) {
      const { transfer } = session;
      session.pendingData?.cancel();
      session.pendingData = undefined;
      if (!transfer) return session.reply(226, 'There was no transfer to abort.');
      transfer.progress.abort();
      await transfer.done; // which replies 426 first (RFC 959 section 4.1.3)
      return session.reply(226, 'The transfer was aborted.');
    },
  },
];
