/** Prometheus metrics, counted from what the server reports: whoever records an event has counted it. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Audit, ServerEvent } from '../audit/event';
import { overheard } from '../audit/overheard';

/** Values that are looked up when somebody asks. */
export interface Gauges {
  sessions(): number;
  transfers(): number;
  waitingEvents(): number;
}

export class Metrics {
  readonly registry = new Registry();
  private readonly connections = this.counter('connections_total', 'Control connections.', ['listener']);
  private readonly refused = this.counter('refused_total', 'Connections and requests turned away.', ['channel', 'reason']);
  private readonly handshakes = this.counter('tls_handshakes_total', 'Handshakes that succeeded.', ['channel', 'protocol']);
  private readonly failures = this.counter('tls_handshake_failures_total', 'Handshakes that failed.', ['channel', 'reason']);
  private readonly logins = this.counter('logins_total', 'Logins.', ['outcome']);
  private readonly lockouts = this.counter('lockouts_total', 'Lock-outs.', ['scope']);
  private readonly transfers = this.counter('transfers_total', 'Transfers that ended.', ['kind', 'outcome']);
  private readonly bytes = this.counter('transfer_bytes_total', 'Bytes of files moved.', ['kind']);
  private readonly infected = this.counter('infected_uploads_total', 'Uploads refused by the scanner.', []);
  private readonly certificateEnd = new Gauge({
    name: 'ftps_certificate_not_after_seconds',
    help: 'When the certificate that is served ends, in seconds since 1970.',
    labelNames: ['serial'],
    aggregator: 'max',
    registers: [this.registry],
  });
  private free: Gauge | undefined;
  private readonly certificateRefused = this.counter('certificates_refused_total', 'New certificates that were refused.', []);

  /** Counts each event on its way to the audit. */
  counting(audit: Audit): Audit {
    return overheard(audit, (event) => this.count(event));
  }

  watch(gauges: Gauges): void {
    for (const [gauge, name, help] of [
      ['sessions', 'sessions', 'Sessions that are open.'],
      ['transfers', 'transfers', 'Transfers that run.'],
      ['waitingEvents', 'waiting_events', 'Events of uploads that wait for EventBridge.'],
    ] as const)
      new Gauge({
        name: `ftps_${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(gauges[gauge]());
        },
      });
  }

  /** What is free on the disk of the audit. */
  auditFree(bytes: number): void {
    this.free ??= new Gauge({ name: 'ftps_audit_free_bytes', help: 'Free bytes on the disk of the audit.', registers: [this.registry] });
    this.free.set(bytes);
  }

  private count(event: ServerEvent): void {
    switch (event.kind) {
      case 'connection-opened':
        this.connections.inc({ listener: event.listener });
        break;
      case 'refused':
        this.refused.inc({ channel: event.channel, reason: event.reason });
        break;
      case 'tls-established':
        this.handshakes.inc({ channel: event.channel, protocol: event.tls.protocol });
        break;
      case 'handshake-failed':
        this.failures.inc({ channel: event.channel, reason: event.reason });
        break;
      case 'login':
        this.logins.inc({ outcome: event.outcome });
        break;
      case 'lockout':
        this.lockouts.inc({ scope: event.scope });
        break;
      case 'transfer':
        if (event.verdict?.result === 'infected') this.infected.inc();
        this.bytes.inc({ kind: event.transfer }, event.bytes);
        this.transfers.inc({ kind: event.transfer, outcome: event.outcome });
        break;
      case 'certificate':
        if (event.change === 'refused') this.certificateRefused.inc();
        else this.certificateEnd.set({ serial: event.serialNumber ?? '' }, Date.parse(event.notAfter ?? '') / 1000);
    }
  }

  private counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name: `ftps_${name}`, help, labelNames: [...labelNames], registers: [this.registry] });
  }
}
