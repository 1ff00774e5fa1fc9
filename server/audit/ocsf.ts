/** Turns what the server reports into OCSF: FTP Activity, Authentication, Network Activity, Application Lifecycle. */
import { posix } from 'node:path';
import type { KeyProof, ServerEvent, SessionFacts } from './event';
import type { AuditLine } from './schema';

/** The OCSF version whose classes are used. */
const OCSF_VERSION = '1.6.0';

export interface OcsfContext {
  readonly time: number;
  readonly sequence: number;
  readonly productVersion: string;
  /** Set where the line stands for several events like this one. */
  readonly repeats?: Repeats;
}

/** Several events that are told as one. */
export interface Repeats {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** How many addresses they came from, where it was more than one. */
  readonly addresses?: number;
}

/** Severities of OCSF that are used here. */
const severities = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;
type Severity = keyof typeof severities;

/** Arguments and paths come from clients; more than this of one is cut. Characters. */
const LONGEST_TEXT = 1_024;

/** Commands of FTP and requests of SFTP and HTTP that delete and rename. */
const REMOVING = ['DELE', 'RMD', 'REMOVE', 'RMDIR', 'DELETE'];
const RENAMING = ['RNTO', 'RENAME', 'POSIX-RENAME', 'MOVE'];
/** Methods of HTTP by their activity. */
const METHODS: Readonly<Record<string, readonly [number, string]>> = {
  DELETE: [2, 'Delete'],
  GET: [3, 'Get'],
  HEAD: [4, 'Head'],
  OPTIONS: [5, 'Options'],
  POST: [6, 'Post'],
  PUT: [7, 'Put'],
  PATCH: [9, 'Patch'],
};

interface Common {
  readonly classUid: number;
  readonly activity: readonly [number, string];
  readonly severity?: Severity;
  readonly outcome?: 'success' | 'failure' | 'other';
  readonly detail?: string;
  readonly message: string;
  readonly unmapped?: Record<string, unknown>;
}

export function toOcsf(event: ServerEvent, context: OcsfContext): AuditLine {
  return JSON.parse(JSON.stringify(lineOf(event, context)));
}

/** The same with members that are undefined, which JSON leaves out. */
export function lineOf(event: ServerEvent, context: OcsfContext): Record<string, unknown> {
  const build = (common: Common, rest: Record<string, unknown>) => ({
    ...commonPart(common, context, event),
    ...rest,
    unmapped: nonEmpty({ ...common.unmapped, protocol: 'protocol' in event ? event.protocol : undefined, addresses: context.repeats?.addresses }),
  });
  switch (event.kind) {
    case 'connection-opened':
      return build(
        { classUid: 4001, activity: [1, 'Open'], message: `Connection to the ${event.listener} listener`, unmapped: { listener: event.listener } },
        networkPart(event),
      );
    case 'connection-closed':
      return build(
        {
          classUid: 4001,
          activity: [2, 'Close'],
          detail: event.reason,
          message: `Connection closed: ${event.reason}`,
          unmapped: { listener: event.listener, seconds: round(event.seconds) },
        },
        networkPart(event),
      );
    case 'refused':
      return build(
        {
          classUid: 4001,
          activity: [5, 'Refuse'],
          severity: 3,
          outcome: 'failure',
          detail: event.reason,
          message: `Refused on the ${event.channel} channel: ${event.reason}`,
          unmapped: { event: 'refused', channel: event.channel, listener: event.listener, detail: cut(event.detail) },
        },
        networkPart(event),
      );
    case 'tls-established':
      return build(
        {
          classUid: 4001,
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
        },
        { ...networkPart(event), tls: { version: event.tls.protocol, cipher: event.tls.cipher, sni: event.tls.serverName } },
      );
    case 'ssh-established': {
      const { software, keyExchange, hostKey, cipherIn, cipherOut, strict } = event.ssh;
      return build(
        {
          classUid: 4007,
          activity: [1, 'Open'],
          message: `SSH: ${keyExchange}, ${hostKey}, ${cipherIn === cipherOut ? cipherIn : `${cipherIn} in, ${cipherOut} out`}${strict ? '' : ', without strict key exchange'}`,
          unmapped: { event: 'ssh-established', listener: event.listener, detail: cut(software) },
        },
        { ...networkPart(event), protocol_ver: '2.0' },
      );
    }
    case 'handshake-failed':
      return build(
        {
          classUid: event.protocol === 'ssh' ? 4007 : 4001,
          activity: [4, 'Fail'],
          severity: 3,
          outcome: 'failure',
          detail: event.reason,
          message: `${event.protocol === 'ssh' ? 'SSH' : 'TLS'} handshake failed on the ${event.channel} channel: ${event.reason}`,
          unmapped: { event: 'handshake-failed', channel: event.channel, listener: event.listener, detail: cut(event.detail) },
        },
        networkPart(event),
      );
    case 'passive-port':
      return build(
        {
          classUid: 4001,
          activity: [99, 'Passive Port'],
          detail: event.change,
          message: `Passive port ${event.port} ${event.change}`,
          unmapped: { event: 'passive-port', listener: event.listener, passive_port: event.port },
        },
        networkPart(event),
      );
    case 'login':
      return build(
        {
          classUid: 3002,
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
        },
        {
          ...authenticationPart(event, event.login),
          certificate: event.proof?.certificate && certificatePart(event.proof.certificate),
          auth_protocol: event.method,
          is_mfa: event.outcome === 'success' ? (event.method?.includes('+') ?? false) : undefined,
        },
      );
    case 'lockout':
      return build(
        {
          classUid: 3002,
          activity: [99, 'Lock-out'],
          severity: 4,
          outcome: 'failure',
          detail: 'locked-out',
          message: `The ${event.scope} is locked out for ${event.seconds} seconds`,
          unmapped: { event: 'lockout', scope: event.scope, seconds: event.seconds, listener: event.listener },
        },
        authenticationPart(event, event.login ?? ''),
      );
    case 'command': {
      // Codes of SFTP say something else than those of FTP: what is refused there says so by itself.
      const failed = event.refused ?? event.code >= 400;
      const activity: readonly [number, string] = REMOVING.includes(event.command)
        ? [4, 'Delete']
        : RENAMING.includes(event.command)
          ? [5, 'Rename']
          : [99, 'Command'];
      return build(
        {
          classUid: 4008,
          activity,
          severity: failed ? 2 : 1,
          outcome: failed ? 'failure' : 'success',
          detail: failed ? String(event.code) : undefined,
          message: `${event.command} ${event.code}`,
          unmapped: { event: 'command', listener: event.listener, argument: cut(event.argument), renamed_to: cut(event.renamedTo), replaced: event.replaced },
        },
        { ...networkPart(event), command: event.command, codes: [event.code], file: event.path === undefined ? undefined : filePart(event.path, 0) },
      );
    }
    case 'request':
      return build(
        {
          classUid: 4002,
          activity: METHODS[event.method] ?? [99, 'Other'],
          severity: 2,
          outcome: 'failure',
          detail: event.reason,
          message: `${event.method} ${event.status}: ${event.reason}`,
          unmapped: { event: 'request', listener: event.listener },
        },
        { ...networkPart(event), http_request: { http_method: event.method, url: { path: cut(event.path) } }, http_response: { code: event.status } },
      );
    case 'as2-message': {
      const failed = event.outcome === 'failure';
      return build(
        {
          classUid: 4002,
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
        },
        { ...networkPart(event), http_request: { http_method: 'POST', url: { path: cut(event.path) } }, http_response: { code: event.status } },
      );
    }
    case 'as2-delivery': {
      const failed = event.outcome === 'failure';
      return build(
        {
          classUid: 6002,
          activity: [99, 'AS2 Delivery'],
          severity: failed ? 3 : 1,
          outcome: event.outcome,
          detail: failed ? `as2-${event.state}` : undefined,
          message: `AS2 ${event.what} to a partner: ${event.state}`,
          unmapped: {
            event: 'as2-delivery',
            what: event.what,
            partner: cut(event.partner),
            user: cut(event.user),
            message_id: cut(event.messageId),
            state: event.state,
            path: cut(event.path),
            bytes: event.bytes,
            disposition: cut(event.disposition),
            reason: cut(event.detail),
          },
        },
        appPart(context),
      );
    }
    case 'transfer': {
      const activity: readonly [number, string] = event.transfer === 'upload' ? [1, 'Put'] : event.transfer === 'download' ? [2, 'Get'] : [6, 'List'];
      const failed = event.outcome !== 'success';
      return build(
        {
          classUid: 4008,
          activity,
          severity: event.verdict?.result === 'infected' ? 4 : failed ? 3 : 1,
          outcome: failed ? 'failure' : 'success',
          detail: event.verdict?.result === 'infected' ? 'infected' : failed ? event.outcome : undefined,
          message: failed ? `${event.transfer} ${event.outcome}: ${event.reason}` : `${event.transfer} complete`,
          unmapped: {
            event: 'transfer',
            outcome: event.outcome,
            reason: event.reason,
            offset: event.offset,
            encrypted: event.encrypted,
            listener: event.listener,
            verdict: event.verdict,
          },
        },
        {
          ...networkPart(event),
          command: event.command,
          name: posix.basename(event.path),
          file: {
            ...filePart(event.path, event.transfer === 'listing' ? 2 : 1),
            size: failed || event.transfer === 'listing' ? undefined : event.offset + event.bytes,
            hashes: event.sha256 ? [{ algorithm: 'SHA-256', algorithm_id: 3, value: event.sha256 }] : undefined,
          },
          traffic: { bytes: event.bytes },
          duration: Math.round(event.seconds * 1000),
        },
      );
    }
    case 'retention':
      return build(
        {
          classUid: 6002,
          activity: [99, 'Retention'],
          message: `Deleted after its retention: ${cut(event.path)}`,
          unmapped: { event: 'retention', user: cut(event.user), home: cut(event.home), path: cut(event.path), bytes: event.bytes, modified: event.modified },
        },
        appPart(context),
      );
    case 'quarantine': {
      const failed = event.outcome === 'failure';
      return build(
        {
          classUid: 6002,
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
        },
        appPart(context),
      );
    }
    case 'after-release':
      return build(
        {
          classUid: 6002,
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
        },
        appPart(context),
      );
    case 'server': {
      const activity: readonly [number, string] =
        event.change === 'started' || event.change === 'worker-started'
          ? [3, 'Start']
          : event.change === 'stopped' || event.change === 'worker-lost'
            ? [4, 'Stop']
            : event.change === 'alive'
              ? [99, 'Heartbeat']
              : [99, 'Drain'];
      const lost = event.change === 'worker-lost' || event.change === 'drain-timed-out';
      return build(
        {
          classUid: 6002,
          activity,
          severity: lost ? 3 : 1,
          outcome: lost ? 'failure' : 'success',
          detail: event.change,
          message: `Server ${event.change}`,
          unmapped: { event: 'server', ...event.detail },
        },
        appPart(context),
      );
    }
    case 'configuration':
      return build(
        {
          classUid: 6002,
          activity: [8, 'Update'],
          severity: event.change === 'refused' ? 3 : 1,
          outcome: event.change === 'refused' ? 'failure' : 'success',
          detail: event.change,
          message: `Configuration ${event.change}: ${event.what}`,
          unmapped: { event: 'configuration', what: event.what, detail: cut(event.detail) },
        },
        appPart(context),
      );
    case 'certificate':
      return build(
        {
          classUid: 6002,
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
        },
        appPart(context),
      );
    case 'audit-dropped':
      return build(
        {
          classUid: 6002,
          activity: [99, 'Audit Dropped'],
          severity: event.shipped ? 1 : 4,
          outcome: event.shipped ? 'success' : 'failure',
          detail: event.why,
          message: `A file of the audit was deleted to make room${event.shipped ? '' : ', before anybody had read it'}: ${event.file}`,
          unmapped: { event: 'audit-dropped', what: event.file, bytes: event.bytes, reason: event.why, chains: event.chains },
        },
        appPart(context),
      );
    case 'health':
      return build(
        {
          classUid: 6002,
          activity: [99, 'Health'],
          severity: event.state === 'down' ? 4 : 1,
          outcome: event.state === 'down' ? 'failure' : 'success',
          detail: event.state,
          message: `The ${event.part} is ${event.state}`,
          unmapped: { event: 'health', part: event.part, state: event.state, detail: cut(event.detail) },
        },
        appPart(context),
      );
  }
}

function commonPart(
  { classUid, activity, severity = 1, outcome = 'success', detail, message }: Common,
  { time, sequence, productVersion, repeats }: OcsfContext,
  event: ServerEvent,
) {
  const { session, user } = 'session' in event ? event : { session: undefined, user: undefined };
  return {
    time,
    count: repeats?.count,
    start_time: repeats?.first,
    end_time: repeats?.last,
    category_uid: Math.floor(classUid / 1000),
    class_uid: classUid,
    activity_id: activity[0],
    activity_name: activity[1],
    type_uid: classUid * 100 + activity[0],
    severity_id: severity,
    severity: severities[severity],
    status_id: outcome === 'success' ? 1 : outcome === 'failure' ? 2 : 99,
    status: outcome === 'success' ? 'Success' : outcome === 'failure' ? 'Failure' : 'Other',
    status_detail: detail,
    message: repeats ? `${message}, ${repeats.count} times` : message,
    metadata: {
      version: OCSF_VERSION,
      // The profile that brings the attribute `actor` into the classes of the network.
      profiles: user !== undefined && Math.floor(classUid / 1000) === 4 ? ['host'] : undefined,
      product: { name: 'cdk-ftps', vendor_name: 'cdk-ftps', version: productVersion },
      sequence,
      correlation_uid: session || undefined,
    },
  };
}

function networkPart(facts: SessionFacts) {
  return {
    ...endpoints(facts),
    connection_info: { uid: facts.session, direction_id: 1, protocol_name: 'tcp' },
    actor: facts.user === undefined ? undefined : { user: { name: facts.user } },
  };
}

function authenticationPart(facts: SessionFacts, login: string) {
  return { ...endpoints(facts), user: { name: cut(login) }, session: { uid: facts.session }, is_remote: true, is_cleartext: false };
}

/** A certificate of SSH, whose authority has no name but its key. */
function certificatePart({ keyId, serial, authority }: NonNullable<KeyProof['certificate']>) {
  return { subject: cut(keyId), serial_number: serial, issuer: authority };
}

function endpoints({ client, server }: SessionFacts) {
  return { src_endpoint: { ip: client.address, port: client.port }, dst_endpoint: { ip: server.address, port: server.port } };
}

function filePart(path: string, typeId: 0 | 1 | 2) {
  return { name: cut(posix.basename(path) || '/'), path: cut(path), type_id: typeId };
}

function appPart({ productVersion }: OcsfContext) {
  return { app: { name: 'cdk-ftps', vendor_name: 'cdk-ftps', version: productVersion } };
}

function cut(text: string | undefined): string | undefined {
  return text !== undefined && text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function nonEmpty(unmapped: Record<string, unknown>): Record<string, unknown> | undefined {
  return Object.values(unmapped).some((value) => value !== undefined) ? unmapped : undefined;
}
