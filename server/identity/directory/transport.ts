/** A verified TLS connection to a directory server: TLS from the first byte, or StartTLS. There is no way here to an unencrypted one. */
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { Client } from 'ldapts';

/** RFC 4511 section 4.14.1. */
const START_TLS = '1.3.6.1.4.1.1466.20037';

export interface TransportOptions {
  /** Authorities in PEM; absent means the well-known ones. */
  readonly ca: string | undefined;
  readonly seconds: number;
}

/** Connects within the time. Rejected with the reason, for example a certificate that does not cover the host. */
export async function connectSecurely(url: string, { ca, seconds }: TransportOptions): Promise<TLSSocket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const implicit = protocol === 'ldaps:';
  const socket = tcpConnect({ host, port: Number(port) || (implicit ? 636 : 389), noDelay: true, keepAlive: true });
  const timer = setTimeout(() => socket.destroy(new Error(`no TLS within ${seconds} s`)), seconds * 1000);
  try {
    if (!implicit) await askForTls(url, socket);
    return await handshake(socket, host, ca);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The one request in plain text. Bytes that come behind its answer belong to no one and never reach the encrypted connection. */
async function askForTls(url: string, socket: Socket): Promise<void> {
  const connected = new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  await connected;
  const plain = new Client({ url, createConnection: () => socket });
  await plain.exop(START_TLS);
  socket.removeAllListeners();
}

function handshake(socket: Socket, host: string, ca: string | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = tlsConnect({ socket, host, servername: isIP(host) ? undefined : host, ca, minVersion: 'TLSv1.2' });
    socket.on('error', reject); // before the handshake begins, an error arrives here
    socket.once('close', () => reject(new Error('the connection was closed')));
    tls.once('error', reject).once('secureConnect', () => {
      tls.removeAllListeners('error');
      resolve(tls);
    });
  });
}
