/** Why a handshake failed, out of OpenSSL's words, in words that an auditor can count. */
import type { HandshakeFailure } from '../audit/event';

const byCode: Readonly<Record<string, HandshakeFailure>> = {
  ERR_SSL_NO_SHARED_CIPHER: 'no-shared-cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'no-shared-cipher',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'no-shared-cipher',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'unsupported-protocol',
  ERR_SSL_VERSION_TOO_LOW: 'unsupported-protocol',
  ERR_SSL_WRONG_SSL_VERSION: 'unsupported-protocol',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'unsupported-protocol',
  ERR_SSL_UNKNOWN_PROTOCOL: 'plain-text',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'no-shared-group',
  ERR_SSL_NO_SUITABLE_GROUPS: 'no-shared-group',
  ERR_SSL_HTTP_REQUEST: 'plain-text',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'plain-text',
  ERR_SSL_WRONG_VERSION_NUMBER: 'plain-text',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client-certificate-missing',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'disconnected',
  EPIPE: 'disconnected',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'disconnected',
};

/** Alerts by which a client says that it does not like our certificate (RFC 8446 section 6.2). */
const certificateAlert = /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE)/;

export function handshakeFailure(error: NodeJS.ErrnoException): HandshakeFailure {
  const code = error.code ?? '';
  const known = byCode[code];
  if (known) return known;
  if (certificateAlert.test(code)) return 'client-rejected-certificate';
  return 'malformed';
}

/** What a failed check of a client certificate means (OpenSSL's X509_V_ERR_… as Node names them). */
export function certificateFailure(code: string): HandshakeFailure {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'client-certificate-expired';
    case 'CERT_REVOKED':
      return 'client-certificate-revoked';
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'client-certificate-unknown-ca';
    default:
      return 'client-certificate-invalid';
  }
}

/** OpenSSL's own words without its source file and line. */
export function detailOf(error: NodeJS.ErrnoException): string {
  const reason = (error as { reason?: unknown }).reason;
  return typeof reason === 'string' ? reason : (error.code ?? error.message);
}
