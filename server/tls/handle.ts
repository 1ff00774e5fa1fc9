/** What lies beneath a socket. Node does not publish it; whoever uses one of these has a test that it is there and does what is said here. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** The handle of libuv. */
export interface Handle {
  /** Whether Node wants to read, which it notes on the handle itself. */
  reading?: boolean;
  /** 0 or a negative error number; EALREADY where it reads already. */
  readStart(): number;
  readStop(): number;
  /** Where what comes, of TLS what is decrypted, goes next. */
  useUserBuffer(buffer: Buffer): void;
}

/** The TLS engine over such a handle. */
export interface TlsHandle extends Handle {
  /** What OpenSSL thought of the client certificate. */
  verifyError(): (Error & { code: string }) | null;
  setOCSPResponse(answer: Buffer): void;
  /** Takes bytes as if they had come from the connection. */
  receive(bytes: Buffer): void;
}

/** Null once the socket is destroyed. */
export function handleOf(socket: TLSSocket): TlsHandle | null;
export function handleOf(socket: Socket): Handle | null;
export function handleOf(socket: Socket): Handle | null {
  return (socket as unknown as { _handle: Handle | null })._handle;
}
