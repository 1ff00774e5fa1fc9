/** Requests over HTTPS, messages of AS2 among them: OCSF HTTP Activity. */
import type { Activity, Tellers } from './base-event';
import { cut, network } from './objects';

const HTTP_ACTIVITY = 4002;

/** Methods of HTTP by their activity. */
const METHODS: Readonly<Record<string, Activity>> = {
  DELETE: [2, 'Delete'],
  GET: [3, 'Get'],
  HEAD: [4, 'Head'],
  OPTIONS: [5, 'Options'],
  POST: [6, 'Post'],
  PUT: [7, 'Put'],
  PATCH: [9, 'Patch'],
};

export const httpActivity: Tellers<'request' | 'as2-message'> = {
  request: (event) => ({
    classUid: HTTP_ACTIVITY,
    activity: METHODS[event.method] ?? [99, 'Other'],
    severity: 2,
    outcome: 'failure',
    detail: event.reason,
    message: `${event.method} ${event.status}: ${event.reason}`,
    unmapped: { event: 'request', listener: event.listener },
    attributes: { ...network(event), http_request: { http_method: event.method, url: { path: cut(event.path) } }, http_response: { code: event.status } },
  }),
  'as2-message': (event) => {
    const failed = event.outcome === 'failure';
    return {
      classUid: HTTP_ACTIVITY,
      activity: METHODS['POST']!,
      severity: failed ? 3 : 1,
      outcome: event.outcome,
      detail: failed ? event.disposition : undefined,
      message: failed ? `AS2 ${event.what} refused: ${event.disposition}` : `AS2 ${event.what} taken`,
      unmapped: {
        event: 'as2-message',
        listener: event.listener,
        what: event.what,
        partner: cut(event.partner),
        message_id: cut(event.messageId),
        disposition: cut(event.disposition),
        layers: event.layers,
        mic: event.mic,
        receipt: event.receipt,
        bytes: event.bytes,
        reason: cut(event.detail),
      },
      attributes: { ...network(event), http_request: { http_method: 'POST', url: { path: cut(event.path) } }, http_response: { code: event.status } },
    };
  },
};
