/** Logins, and who is locked out: OCSF Authentication. */
import type { Tellers } from './base-event';
import { authentication as attributesOf, sshCertificate } from './objects';

const AUTHENTICATION = 3002;

export const authentication: Tellers<'login' | 'lockout'> = {
  login: (event) => ({
    classUid: AUTHENTICATION,
    activity: [1, 'Logon'],
    severity: event.outcome === 'success' ? 1 : 3,
    outcome: event.outcome === 'success' ? 'success' : 'failure',
    detail: event.reason,
    message: event.outcome === 'success' ? 'Login' : `Login refused: ${event.reason}`,
    unmapped: {
      event: 'login',
      outcome: event.outcome,
      source: event.source,
      token: event.token,
      link: event.link,
      listener: event.listener,
      key: event.proof?.key,
    },
    attributes: {
      ...attributesOf(event, event.login),
      certificate: event.proof?.certificate && sshCertificate(event.proof.certificate),
      auth_protocol: event.method,
      is_mfa: event.outcome === 'success' ? (event.method?.includes('+') ?? false) : undefined,
    },
  }),
  lockout: (event) => ({
    classUid: AUTHENTICATION,
    activity: [99, 'Lock-out'],
    severity: 4,
    outcome: 'failure',
    detail: 'locked-out',
    message: `The ${event.scope} is locked out for ${event.seconds} seconds`,
    unmapped: { event: 'lockout', scope: event.scope, seconds: event.seconds, listener: event.listener },
    attributes: attributesOf(event, event.login ?? ''),
  }),
};
