/** Makes the TLS handshake of a data connection and judges whether it is tied to its control session. */
import type { Socket } from 'node:net';
import type { Audit, TlsFacts } from '../../audit/event';
import { acceptTls } from '../../tls/accept';
import type { ServerCertificates } from '../../tls/certificates';
import type { ClientHello } from '../../tls/client-hello';
import { tlsFacts } from '../../tls/facts';
import { type EndWatch, watchEnd } from '../tls/end-watch';
import type { NamedSession } from '../tls/named-session';
import type { TlsSessions } from '../tls/sessions';
import type { Binding, DataChannel, DataOwner, Direction } from './channel';

/** How long a client may take to close after its close_notify, before it counts as one that waits for ours. Once a session. */
const GOODBYE_MS = 20;

/** An upload of no more than that is a small one, which leaves its client's kernel as one. What it takes on its way, in bytes. */
const SMALL = 64 * 1024;

/** What every data connection needs; one for the whole server. */
export interface DataSecurity {
  readonly certificates: ServerCertificates;
  readonly sessions: TlsSessions<DataOwner>;
  readonly audit: Audit;
  readonly handshakeSeconds: number;
}

/**
 * Fulfilled with the channel and what ties it to the owner, or with undefined when the handshake failed (audited).
 * `hello` is what the client has sent already, where it was read; `bytes`, where they are not in the socket any more. A session named in it must be the owner's, or that of another session of its account. `binding` is `address` where nothing was proved; whether that is enough is the caller's to decide.
 */
export async function secureData(
  socket: Socket,
  owner: DataOwner,
  { certificates, sessions, audit, handshakeSeconds }: DataSecurity,
  { direction, hello, bytes, resume }: { direction?: Direction; hello?: ClientHello; bytes?: Buffer; resume?: NamedSession<DataOwner> },
): Promise<DataChannel | undefined> {
  // A client that closes both ways at once must still be read to its end: it is we who end our side, with close_notify.
  if (direction !== 'out') socket.allowHalfOpen = true;
  const readsSessions = owner.waitsForGoodbye === true;
  let facts: TlsFacts | undefined;
  let end!: EndWatch;
  const handshake = await acceptTls(socket, {
    ...certificates.handshake(hello, owner.maxTlsVersion),
    clientCertificate: owner.clientCertificates === 'off' ? 'off' : 'optional',
    seconds: handshakeSeconds,
    hello: bytes,
    onSession: (id, data) => sessions.file(owner, id, data),
    resume: resume?.data,
    holdSessions: direction !== 'out',
    onSocket: (tls) => {
      end = watchEnd(tls, socket);
    },
    onSecure: (tls) => {
      facts = tlsFacts(tls); // a fast client may be gone when they are asked for
    },
  });
  if (!handshake.ok) {
    audit.record({ kind: 'handshake-failed', channel: 'data', reason: handshake.reason, detail: handshake.detail, ...owner.facts });
    return undefined;
  }
  const binding = bindingOf(facts!, owner, resume);
  if (binding === 'resumed' && resume) sessions.markUsed(resume.id);
  const { socket: tls, releaseSessions } = handshake;
  const endOurs = () => {
    releaseSessions();
    // Node writes new sessions by itself, and ends TCP before close_notify where such a write is not over. A turn of the event loop later it is.
    setImmediate(() => tls.end());
  };
  if (readsSessions && direction !== 'out') {
    const ended = owner.signOfLife.send(releaseSessions);
    tls.once('end', () => {
      if (socket.bytesRead <= SMALL) ended();
    });
    // One that has not waited after all, and was reset over it, is not trusted again.
    tls.once('error', () => (owner.waitsForGoodbye = false));
  }
  return {
    socket: tls,
    tls: facts!,
    binding,
    endedByCloseNotify: end.byCloseNotify,
    turnOutgoing: releaseSessions,
    sayGoodbye() {
      if (owner.waitsForGoodbye !== undefined || !end.byCloseNotify()) return endOurs();
      void end.staysOpen(GOODBYE_MS).then((stays) => {
        owner.waitsForGoodbye = stays;
        endOurs();
      });
    },
  };
}

function bindingOf({ resumed, clientCertificate }: TlsFacts, owner: DataOwner, resume?: NamedSession<DataOwner>): Binding {
  if (resume && resumed) return resume.owner === owner ? 'resumed' : 'same-account';
  if (owner.clientCertificate !== undefined && clientCertificate === owner.clientCertificate) return 'same-certificate';
  return 'address';
}

/** Reports a data connection that was taken. */
export function auditDataTls(audit: Audit, owner: DataOwner, { tls, binding }: DataChannel): void {
  audit.record({ kind: 'tls-established', channel: 'data', tls, binding, ...owner.facts });
}

/** Notes on the owner what a finished transfer says about the client's next data connection. */
export function noteResumption(owner: DataOwner, channel: DataChannel, direction: Direction): void {
  const readOurSession = direction === 'out' || channel.tls.protocol === 'TLSv1.2' || owner.waitsForGoodbye === true;
  owner.resumption = channel.binding === 'resumed' && readOurSession ? 'expected' : 'doubtful';
}
