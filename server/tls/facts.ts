/** What a finished handshake negotiated, for the audit and for accounts. */
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../audit/event';
import type { ClientCertificate } from '../identity/identity';

/** The client certificate, only where its chain, dates and revocation were checked. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return undefined;
  const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  return {
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    commonName,
    subjectAltNames: certificate.subjectAltName?.split(/, (?=[A-Za-z ]+:)/) ?? [],
    serialNumber: certificate.serialNumber,
  };
}

export function tlsFacts(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher();
  const certificate = clientCertificate(socket);
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: cipher.standardName ?? cipher.name,
    serverName: (socket as { servername?: string | null | false }).servername || undefined,
    resumed: socket.isSessionReused(),
    clientCertificate: certificate?.sha256,
    clientCertificateSubject: certificate?.commonName,
  };
}
