/** What a finished handshake negotiated, for the audit and for accounts. */
import type { CipherNameAndProtocol, TLSSocket } from 'node:tls';
import type { TlsFacts } from '../audit/event';
import type { ClientCertificate } from '../identity/identity';

/** The client certificate, only where its chain, dates and revocation were checked. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (!certificate) return undefined;
  const { CN: commonName } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  return {
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    // Of several names none is taken: which one the authority checked can't be known.
    commonName: typeof commonName === 'string' ? commonName : undefined,
    subjectAltNames: alternativeNames(certificate.subjectAltName ?? ''),
    serialNumber: certificate.serialNumber,
  };
}

/**
 * The names in Node's one line. A name with a comma in it stands in quotes as a JSON string; cut at every comma, such a name could pass for
 * others that the authority never vouched for (CVE-2021-44532).
 */
export function alternativeNames(line: string): string[] {
  return [...line.matchAll(/([^:,]+):(?:("(?:[^"\\]|\\.)*")|([^,]*))(?:, |$)/gy)].map(
    ([, type, quoted, plain]) => `${type}:${quoted ? JSON.parse(quoted) : plain}`,
  );
}

export function tlsFacts(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher() as CipherNameAndProtocol | undefined; // none once the connection is gone
  const certificate = clientCertificate(socket);
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: cipher?.standardName ?? cipher?.name ?? '',
    serverName: (socket as { servername?: string | null | false }).servername || undefined,
    resumed: socket.isSessionReused(),
    clientCertificate: certificate?.sha256,
    clientCertificateSubject: certificate?.commonName,
  };
}
