/**
 * The server's side of one TLS handshake over a socket that is already there, with its sessions filed and looked up by us.
 * It touches unpublished parts of TLSSocket; each has a test.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { HandshakeFailure } from '../audit/event';
import { certificateFailure, detailOf, handshakeFailure } from './failure';
import { handleOf } from './handle';

export interface HandshakeOptions {
  readonly context: SecureContext;
  /** The authority's word on the certificate, sent where the client asked for it. */
  readonly staple?: Buffer;
  readonly clientCertificate: 'off' | 'optional' | 'required';
  readonly seconds: number;
  /** What the client has sent already and was read from the transport. */
  readonly hello?: Buffer;
  /** Called with each session that OpenSSL issues on this connection. */
  readonly onSession: (id: Buffer, data: Buffer) => void;
  /** What the client may resume: the data of a session filed before. Absent refuses resumption, and a full handshake is made. */
  readonly resume?: Buffer;
  /**
   * Keeps the new sessions of TLS 1.3 back until `releaseSessions`. A client that only uploads never reads them, and the kernel of a client
   * that closes with something unread throws away what it has not sent yet: the end of the upload would be lost.
   */
  readonly holdSessions?: boolean;
  /** The application protocols that are spoken, by their ALPN names (RFC 7301): who offers others alone is refused, so that nobody's FTP passes for HTTP. */
  readonly protocols?: readonly string[];
  /** Called with the socket before it reads anything: for who has to see all of it. */
  readonly onSocket?: (socket: TLSSocket, transport: Socket) => void;
  /** Called when the handshake is done, before anything that the server sends after it has left. */
  readonly onSecure?: (socket: TLSSocket) => void;
}

export interface Accepted {
  readonly ok: true;
  readonly socket: TLSSocket;
  /** Sends the sessions that were held back. Must be called before anything is written and before the connection is ended. */
  releaseSessions(): void;
}

export type Handshake = Accepted | { readonly ok: false; readonly reason: HandshakeFailure; readonly detail?: string };

/** What Node keeps to itself: the end of the handshake phase, and a new session that it waits for. */
interface Unpublished {
  _releaseControl(): boolean;
  _newSessionPending: boolean;
}

/** Stands in for the tls.Server whose events a server-side TLSSocket asks for its sessions. */
class SessionEvents extends EventEmitter {
  constructor(options: HandshakeOptions, announced: (done: () => void) => void) {
    super();
    this.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
      options.onSession(id, data);
      announced(done);
    });
    // Under TLS 1.3 Node asks with the legacy id, which names nothing; the answer was found beforehand in the ClientHello.
    this.on('resumeSession', (_id: Buffer, done: (error: null, session: Buffer | null) => void) => done(null, options.resume ?? null));
  }
}

/** Fulfilled when the handshake is over, either way; never rejected. On failure the connection is destroyed. */
export function acceptTls(transport: Socket, options: HandshakeOptions): Promise<Handshake> {
  return new Promise((resolve) => {
    let held: (() => void)[] | undefined = options.holdSessions ? [] : undefined;
    // Node sends nothing until it is told that a new session is filed. Under TLS 1.3 that is after the handshake, which need not wait for it.
    const announced = (done: () => void) => {
      if (!held || socket.getProtocol() !== 'TLSv1.3') return done();
      held.push(done);
      internals._newSessionPending = false;
    };
    const releaseSessions = () => {
      const waiting = held ?? [];
      held = undefined;
      if (!socket.destroyed) for (const done of waiting) done();
    };
    const socket: TLSSocket = new TLSSocket(transport, {
      isServer: true,
      secureContext: options.context,
      server: new SessionEvents(options, announced) as never,
      requestCert: options.clientCertificate !== 'off',
      rejectUnauthorized: options.clientCertificate === 'required',
      ...(options.protocols ? { ALPNProtocols: wireForm(options.protocols) as never } : {}),
    });
    // For as long as the connection lives: a record that can't be decrypted may come while nobody looks at it (a data connection
    // that waits for its command). An error that nobody hears ends the process, and Node leaves the socket open after this one.
    socket.on('error', () => socket.destroy());
    options.onSocket?.(socket, transport);
    const internals = socket as unknown as Unpublished;
    if (options.staple) handleOf(socket)?.setOCSPResponse(options.staple);
    const { hello } = options;
    // Not in this turn, in which libuv asks the engine for room as it would by itself (read-hello.ts).
    if (hello) setImmediate(() => handleOf(socket)?.receive(hello));
    const timer = setTimeout(() => settle({ ok: false, reason: 'timeout' }), options.seconds * 1000);
    const onError = (error: NodeJS.ErrnoException) => settle({ ok: false, reason: handshakeFailure(error), detail: detailOf(error) });
    // Also at the end of what the client sends: where it may end its side alone, Node does not close, and the rest of the handshake will not come.
    const onClose = () => settle({ ok: false, reason: 'disconnected' });
    const onSecure = () => {
      const verifyError = options.clientCertificate === 'off' ? null : handleOf(socket)?.verifyError();
      const certificateGiven = options.clientCertificate !== 'off' && socket.getPeerX509Certificate() !== undefined;
      if (verifyError && (certificateGiven || options.clientCertificate === 'required')) {
        settle({ ok: false, reason: certificateGiven ? certificateFailure(verifyError.code) : 'client-certificate-missing', detail: verifyError.code });
        return;
      }
      internals._releaseControl();
      socket.authorized = certificateGiven;
      options.onSecure?.(socket);
      settle({ ok: true, socket, releaseSessions });
    };

    function settle(result: Handshake) {
      clearTimeout(timer);
      socket.off('_tlsError', onError).off('end', onClose).off('close', onClose).off('secure', onSecure);
      if (result.ok) {
        resolve(result);
        return;
      }
      socket.destroy();
      transport.destroy();
      resolve(result);
    }

    socket.on('_tlsError', onError).on('end', onClose).on('close', onClose).on('secure', onSecure);
  });
}

/** As a TLSSocket over a socket that is there takes them: each behind its length. */
function wireForm(protocols: readonly string[]): Buffer {
  return Buffer.concat(protocols.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1')));
}
