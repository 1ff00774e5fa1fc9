/** What the server does by itself, and what is done to it: OCSF Application Lifecycle. */
import type { Activity, Tellers } from './base-event';
import { app, cut, round } from './objects';

const APPLICATION_LIFECYCLE = 6002;

export const applicationLifecycle: Tellers<
  'server' | 'configuration' | 'certificate' | 'health' | 'audit-dropped' | 'quarantine' | 'after-release' | 'retention' | 'as2-delivery'
> = {
  server: (event, context) => {
    const activity: Activity =
      event.change === 'started' || event.change === 'worker-started'
        ? [3, 'Start']
        : event.change === 'stopped' || event.change === 'worker-lost'
          ? [4, 'Stop']
          : event.change === 'alive'
            ? [99, 'Heartbeat']
            : [99, 'Drain'];
    const lost = event.change === 'worker-lost' || event.change === 'drain-timed-out';
    return {
      classUid: APPLICATION_LIFECYCLE,
      activity,
      severity: lost ? 3 : 1,
      outcome: lost ? 'failure' : 'success',
      detail: event.change,
      message: `Server ${event.change}`,
      unmapped: { event: 'server', ...event.detail },
      attributes: app(context),
    };
  },
  configuration: (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [8, 'Update'],
    severity: event.change === 'refused' ? 3 : 1,
    outcome: event.change === 'refused' ? 'failure' : 'success',
    detail: event.change,
    message: `Configuration ${event.change}: ${event.what}`,
    unmapped: { event: 'configuration', what: event.what, detail: cut(event.detail) },
    attributes: app(context),
  }),
  certificate: (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [8, 'Update'],
    severity: event.change === 'refused' ? 4 : 1,
    outcome: event.change === 'refused' ? 'failure' : 'success',
    detail: event.change,
    message: `Certificate ${event.change}`,
    unmapped: {
      event: 'certificate',
      subject: event.subject,
      serial_number: event.serialNumber,
      not_after: event.notAfter,
      days_left: event.daysLeft,
      reason: cut(event.reason),
    },
    attributes: app(context),
  }),
  health: (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [99, 'Health'],
    severity: event.state === 'down' ? 4 : 1,
    outcome: event.state === 'down' ? 'failure' : 'success',
    detail: event.state,
    message: `The ${event.part} is ${event.state}`,
    unmapped: { event: 'health', part: event.part, state: event.state, detail: cut(event.detail) },
    attributes: app(context),
  }),
  'audit-dropped': (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [99, 'Audit Dropped'],
    severity: event.shipped ? 1 : 4,
    outcome: event.shipped ? 'success' : 'failure',
    detail: event.why,
    message: `A file of the audit was deleted to make room${event.shipped ? '' : ', before anybody had read it'}: ${event.file}`,
    unmapped: { event: 'audit-dropped', what: event.file, bytes: event.bytes, reason: event.why, chains: event.chains },
    attributes: app(context),
  }),
  quarantine: (event, context) => {
    const failed = event.outcome === 'failure';
    return {
      classUid: APPLICATION_LIFECYCLE,
      activity: [99, 'Quarantine'],
      severity: event.change === 'released' && !failed ? 3 : 1,
      outcome: event.outcome,
      detail: event.change,
      message: failed ? `${event.operator} could not have it ${event.change}: ${event.reason}` : `${event.change} from quarantine by ${event.operator}`,
      unmapped: {
        event: 'quarantine',
        operator: cut(event.operator),
        user: cut(event.user),
        home: cut(event.home),
        path: cut(event.path),
        bytes: event.bytes,
        sha256: event.sha256,
        verdict: { result: event.state, signature: event.signature, engine: event.engine, quarantined: event.id },
        reason: cut(event.reason),
      },
      attributes: app(context),
    };
  },
  'after-release': (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [99, 'After Release'],
    severity: event.outcome === 'failure' ? 3 : 1,
    outcome: event.outcome,
    detail: event.outcome === 'failure' ? 'after-release' : undefined,
    message: event.outcome === 'failure' ? `The ${event.what} after an upload failed: ${event.reason}` : `The ${event.what} after an upload is done`,
    unmapped: {
      event: 'after-release',
      what: event.what,
      detail: event.endpoint,
      user: cut(event.user),
      path: cut(event.path),
      seconds: round(event.seconds),
      reason: cut(event.reason),
    },
    attributes: app(context),
  }),
  retention: (event, context) => ({
    classUid: APPLICATION_LIFECYCLE,
    activity: [99, 'Retention'],
    message: `Deleted after its retention: ${cut(event.path)}`,
    unmapped: { event: 'retention', user: cut(event.user), home: cut(event.home), path: cut(event.path), bytes: event.bytes, modified: event.modified },
    attributes: app(context),
  }),
  'as2-delivery': (event, context) => {
    const failed = event.outcome === 'failure';
    return {
      classUid: APPLICATION_LIFECYCLE,
      activity: [99, 'AS2 Delivery'],
      severity: failed ? 3 : 1,
      outcome: event.outcome,
      detail: failed ? `as2-${event.state}` : undefined,
      message: event.what === 'received message' ? `AS2 message of a partner: ${event.state}` : `AS2 ${event.what} to a partner: ${event.state}`,
      unmapped: {
        event: 'as2-delivery',
        what: event.what,
        partner: cut(event.partner),
        user: cut(event.user),
        message_id: cut(event.messageId),
        state: event.state,
        path: cut(event.path),
        bytes: event.bytes,
        payloads: event.payloads?.map(({ name, bytes, sha256 }) => ({ name: cut(name), bytes, sha256 })),
        disposition: cut(event.disposition),
        reason: cut(event.detail),
      },
      attributes: app(context),
    };
  },
};
