/** One page that says how the service does: who is connected, what flows, what fails and why, how long the certificate lasts. */

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Color,
  Dashboard,
  GaugeWidget,
  GraphWidget,
  type IAlarm,
  type IMetric,
  LegendPosition,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  type Metric,
  PeriodOverride,
  SingleValueWidget,
  Stats,
  TextWidget,
  TextWidgetBackground,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { refuseUnknownProps } from '../known-props';
import type { AuditLog } from '../logs/audit-log';
import type { Protocol } from '../protocols/protocol';
import { listed } from '../protocols/words';

/** What `ServiceDashboard` is told. */
export interface ServiceDashboardProps {
  /** The audit that is shown. */
  readonly auditLog: AuditLog;
  /** Heading, the host name of the service as a rule. */
  readonly title: string;
  /**
   * Time between two heartbeats of a server (`audit.heartbeatSeconds`); open sessions are told with them.
   * @default Duration.seconds(60)
   */
  readonly heartbeatInterval?: Duration;
  /**
   * Alarms whose state is shown.
   * @default - none
   */
  readonly alarms?: IAlarm[];
}

const FULL = 24;
const HALF = 12;
const THIRD = 8;
const HEIGHT = 6;

/** How the service does, on one page of CloudWatch. */
export class ServiceDashboard extends Construct {
  /** The dashboard itself. */
  public readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: ServiceDashboardProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServiceDashboardProps');
    const { auditLog, title, heartbeatInterval = Duration.seconds(60), alarms = [] } = props;
    this.dashboard = new Dashboard(this, 'Resource', { periodOverride: PeriodOverride.AUTO, defaultInterval: Duration.hours(12) });
    const wide = { width: HALF, height: HEIGHT };
    // A period is as long as the range that is looked at makes it; what the axis counts says so.
    const axis = (label: string) => ({ label, min: 0, showUnits: false });
    const graph = (heading: string, unit: string, left: IMetric[], more = {}) =>
      new GraphWidget({ title: heading, left, leftYAxis: axis(unit), legendPosition: LegendPosition.BOTTOM, ...wide, ...more });
    const query = (heading: string, view: LogQueryVisualizationType, queryLines: string[], width = THIRD) =>
      new LogQueryWidget({ title: heading, view, queryLines, logGroupNames: [auditLog.auditGroup.logGroupName], width, height: HEIGHT });
    // Every instance says it once a heartbeat, so that the sum of a period counts each session once for every heartbeat in it.
    const openSessions = new MathExpression({
      expression: `sessions * ${heartbeatInterval.toSeconds()} / PERIOD(sessions)`,
      usingMetrics: { sessions: auditLog.metricSessions({ statistic: Stats.SUM }) },
      label: 'sessions open',
      color: Color.BLUE,
    });
    const named = (of: (protocol: Protocol) => string) => listed(auditLog._protocols.map(of), 'and');
    const counted = (metric: Metric, label: string, color: string) => metric.with({ label, color });

    this.dashboard.addWidgets(
      new TextWidget({
        markdown: `# ${title}\n${named(({ name }) => name)}. Numbers come from the audit, ${auditLog.auditGroup.logGroupName}; times are UTC.`,
        width: FULL,
        height: 2,
        background: TextWidgetBackground.TRANSPARENT,
      }),
    );
    if (alarms.length > 0) this.dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: FULL, height: 2 + Math.ceil(alarms.length / 6) }));
    this.dashboard.addWidgets(
      new SingleValueWidget({
        title: 'Now',
        metrics: [openSessions, auditLog.metricHeartbeats({ label: 'heartbeats in 5 minutes' })],
        width: THIRD,
        height: HEIGHT,
      }),
      new GaugeWidget({
        title: 'Days until the served certificate ends',
        metrics: [auditLog.metricCertificateDaysLeft({ label: 'days' })],
        leftYAxis: { min: 0, max: 90 },
        annotations: [
          { value: 14, color: Color.RED, label: '14 days' },
          { value: 30, color: Color.ORANGE, label: '30 days' },
        ],
        width: THIRD,
        height: HEIGHT,
      }),
      query('Top accounts by bytes', LogQueryVisualizationType.TABLE, [
        'filter unmapped.event = "transfer" and activity_id in [1, 2]',
        'stats sum(traffic.bytes) as bytes, count(*) as transfers by actor.user.name as account',
        'sort bytes desc',
        'limit 10',
      ]),
    );
    this.dashboard.addWidgets(
      graph('Sessions', 'sessions', [openSessions], {
        right: [counted(auditLog.metricSessionsOpened(), 'opened', Color.GREY)],
        rightYAxis: axis('opened in a period'),
      }),
      graph('Throughput', 'bytes a second', [
        perSecond(auditLog.metricBytesUploaded(), 'uploads', Color.BLUE),
        perSecond(auditLog.metricBytesDownloaded(), 'downloads', Color.GREEN),
      ]),
    );
    this.dashboard.addWidgets(
      graph('Transfers', 'files in a period', [
        counted(auditLog.metricUploads(), 'uploads', Color.BLUE),
        counted(auditLog.metricDownloads(), 'downloads', Color.GREEN),
        counted(auditLog.metricTransferErrors(), 'failed or cut', Color.RED),
      ]),
      graph('Logins', 'logins in a period', [
        counted(auditLog.metricLogins(), 'succeeded', Color.GREEN),
        counted(auditLog.metricFailedLogins(), 'refused', Color.RED),
        counted(auditLog.metricUnavailableLogins(), 'not decided', Color.ORANGE),
        counted(auditLog.metricLockouts(), 'lock-outs', Color.PURPLE),
      ]),
    );
    this.dashboard.addWidgets(
      graph('Refused', 'refusals in a period', [
        counted(auditLog.metricHandshakeFailures(), `${named(({ handshakes }) => handshakes)} handshakes`, Color.RED),
        counted(auditLog.metricRefusedConnections(), 'connections', Color.ORANGE),
        counted(auditLog.metricRefusedPorts(), 'data connections', Color.PURPLE),
        counted(auditLog.metricMalware(), 'infected uploads', Color.BROWN),
      ]),
      graph('The service itself', 'events in a period', [
        counted(auditLog.metricDrainTimeouts(), 'drain time-outs', Color.ORANGE),
        counted(auditLog.metricWorkersLost(), 'workers lost', Color.RED),
        counted(auditLog.metricScannerDown(), 'scanner down', Color.PURPLE),
        counted(auditLog.metricPartsDown(), 'other parts down', Color.BROWN),
      ]),
    );
    this.dashboard.addWidgets(
      query('Failed handshakes by reason', LogQueryVisualizationType.BAR, [
        'filter unmapped.event = "handshake-failed"',
        'stats count(*) as failures by status_detail as reason',
        'sort failures desc',
      ]),
      query('Refused logins by reason', LogQueryVisualizationType.BAR, [
        'filter unmapped.event = "login" and status_id = 2',
        'stats count(*) as refusals by status_detail as reason',
        'sort refusals desc',
      ]),
      query('Failed transfers by reason', LogQueryVisualizationType.BAR, [
        'filter unmapped.event = "transfer" and status_id = 2',
        'stats count(*) as failures by unmapped.reason as reason',
        'sort failures desc',
      ]),
    );
    for (const { name, logsIn, failures, rows } of auditLog._protocols.slice(1)) {
      const ofIt = (metric: string, label: string, color: string) => counted(auditLog.metricOfProtocol(name, metric), label, color);
      this.dashboard.addWidgets(
        graph(`Transfers by ${name}`, 'files in a period', [
          ofIt('Uploads', 'uploads', Color.BLUE),
          ofIt('Downloads', 'downloads', Color.GREEN),
          ofIt('TransferErrors', 'failed or cut', Color.RED),
        ]),
        logsIn
          ? graph(`Logins by ${name}`, 'logins in a period', [
              ofIt('Logins', 'succeeded', Color.GREEN),
              ofIt('FailedLogins', 'refused', Color.RED),
              ofIt('HandshakeFailures', 'handshakes that failed', Color.ORANGE),
            ])
          : graph(`Failures by ${name}`, 'failures in a period', [
              ofIt('HandshakeFailures', 'handshakes that failed', Color.ORANGE),
              ...failures.map(({ name: failure }, index) => ofIt(failure, inWords(failure), [Color.RED, Color.PURPLE, Color.BROWN][index % 3]!)),
            ]),
      );
      this.dashboard.addWidgets(...rows.map(({ title, lines }) => query(title, LogQueryVisualizationType.BAR, [...lines])));
    }
    if (auditLog._webhooks)
      this.dashboard.addWidgets(
        query(
          'Uploads told to webhooks, by endpoint and end',
          LogQueryVisualizationType.TABLE,
          [
            'filter unmapped.event = "after-release" and unmapped.what = "webhook"',
            'stats count(*) as uploads, avg(unmapped.seconds) as seconds by unmapped.detail as endpoint, message as end',
            'sort uploads desc',
            'limit 25',
          ],
          FULL,
        ),
      );
    this.dashboard.addWidgets(
      query(
        'What was refused or failed last',
        LogQueryVisualizationType.TABLE,
        [
          'filter severity_id >= 3',
          'fields fromMillis(time) as at, src_endpoint.ip as address, coalesce(actor.user.name, user.name) as account, message',
          'sort time desc',
          'limit 25',
        ],
        FULL,
      ),
    );
  }
}

/** `ReceiptsMissing` is `receipts missing`. */
function inWords(name: string): string {
  return name.replaceAll(/(?!^)[A-Z]/g, ' $&').toLowerCase();
}

/** The label names the metric in the expression, so it begins with a lower-case letter. */
function perSecond(metric: Metric, label: string, color: string): MathExpression {
  return new MathExpression({ expression: `${label} / PERIOD(${label})`, usingMetrics: { [label]: metric }, label, color, period: Duration.minutes(5) });
}
