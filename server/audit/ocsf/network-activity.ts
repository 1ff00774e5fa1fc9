/** Connections, and what they are encrypted with: OCSF Network Activity, and SSH Activity for what only SSH agrees on. */
import type { Tellers } from './base-event';
import { cut, network, round } from './objects';

const NETWORK_ACTIVITY = 4001;
const SSH_ACTIVITY = 4007;

export const networkActivity: Tellers<
  'connection-opened' | 'connection-closed' | 'refused' | 'tls-established' | 'handshake-failed' | 'passive-port' | 'ssh-established'
> = {
  'connection-opened': (event) => ({
    classUid: NETWORK_ACTIVITY,
    activity: [1, 'Open'],
    message: `Connection to the ${event.listener} listener`,
    unmapped: { listener: event.listener },
    attributes: network(event),
  }),
  'connection-closed': (event) => ({
    classUid: NETWORK_ACTIVITY,
    activity: [2, 'Close'],
    detail: event.reason,
    message: `Connection closed: ${event.reason}`,
    unmapped: { listener: event.listener, seconds: round(event.seconds) },
    attributes: network(event),
  }),
  refused: (event) => ({
    classUid: NETWORK_ACTIVITY,
    activity: [5, 'Refuse'],
    severity: 3,
    outcome: 'failure',
    detail: event.reason,
    message: `Refused on the ${event.channel} channel: ${event.reason}`,
    unmapped: { event: 'refused', channel: event.channel, listener: event.listener, detail: cut(event.detail) },
    attributes: network(event),
  }),
  'tls-established': (event) => ({
    classUid: NETWORK_ACTIVITY,
    activity: [99, 'TLS Established'],
    message: `TLS on the ${event.channel} channel: ${event.tls.protocol} ${event.tls.cipher}`,
    unmapped: {
      event: 'tls-established',
      channel: event.channel,
      listener: event.listener,
      resumed: event.tls.resumed,
      binding: event.binding,
      client_certificate: event.tls.clientCertificate,
      client_certificate_subject: cut(event.tls.clientCertificateSubject),
    },
    attributes: { ...network(event), tls: { version: event.tls.protocol, cipher: event.tls.cipher, sni: event.tls.serverName } },
  }),
  'handshake-failed': (event) => ({
    classUid: event.protocol === 'ssh' ? SSH_ACTIVITY : NETWORK_ACTIVITY,
    activity: [4, 'Fail'],
    severity: 3,
    outcome: 'failure',
    detail: event.reason,
    message: `${event.protocol === 'ssh' ? 'SSH' : 'TLS'} handshake failed on the ${event.channel} channel: ${event.reason}`,
    unmapped: { event: 'handshake-failed', channel: event.channel, listener: event.listener, detail: cut(event.detail) },
    attributes: network(event),
  }),
  'passive-port': (event) => ({
    classUid: NETWORK_ACTIVITY,
    activity: [99, 'Passive Port'],
    detail: event.change,
    message: `Passive port ${event.port} ${event.change}`,
    unmapped: { event: 'passive-port', listener: event.listener, passive_port: event.port },
    attributes: network(event),
  }),
  'ssh-established': (event) => {
    const { software, keyExchange, hostKey, cipherIn, cipherOut, strict } = event.ssh;
    return {
      classUid: SSH_ACTIVITY,
      activity: [1, 'Open'],
      message: `SSH: ${keyExchange}, ${hostKey}, ${cipherIn === cipherOut ? cipherIn : `${cipherIn} in, ${cipherOut} out`}${strict ? '' : ', without strict key exchange'}`,
      unmapped: { event: 'ssh-established', listener: event.listener, detail: cut(software) },
      attributes: { ...network(event), protocol_ver: '2.0' },
    };
  },
};
