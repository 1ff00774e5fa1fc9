/** When somebody is to be called: an alarm for each thing that goes wrong, one that tells an attack, and a topic that hears them all. */

import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmBase,
  AlarmRule,
  AlarmState,
  type CfnAlarm,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarmAction,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct, type IConstruct } from 'constructs';
import { digest } from '../digest';
import { refuseUnknownProps } from '../known-props';
import type { AuditLog } from '../logs/audit-log';
import { as2 } from '../protocols/as2';
import { listed } from '../protocols/words';
import { AlarmTopic } from './alarm-topic';

/** How many of a kind within five minutes are alarming. A service with many partners needs higher numbers than one with few. */
export interface AlarmThresholds {
  /**
   * Handshakes that failed, of all protocols.
   * @default 50
   */
  readonly handshakeFailures?: number;
  /**
   * Logins that were refused.
   * @default 20
   */
  readonly failedLogins?: number;
  /**
   * Addresses or accounts that were locked out.
   * @default 1
   */
  readonly lockouts?: number;
  /**
   * Strangers at passive ports.
   * @default 20
   */
  readonly refusedPorts?: number;
  /**
   * Connections that were refused.
   * @default 100
   */
  readonly refusedConnections?: number;
  /**
   * Transfers that failed or were cut.
   * @default 20
   */
  readonly transferErrors?: number;
}

/** What `ServiceAlarms` is told. */
export interface ServiceAlarmsProps {
  /** The audit that is watched. */
  readonly auditLog: AuditLog;
  /**
   * How many instances serve; fewer heartbeats than they give are alarming.
   * @default 1
   */
  readonly instances?: number;
  /**
   * Name of the Auto Scaling group of the instances. Silence before there is such a group is no alarm.
   * @default - silence is an alarm from the beginning
   */
  readonly groupName?: string;
  /**
   * Time between two heartbeats of a server (`audit.heartbeatSeconds`).
   * @default Duration.seconds(60)
   */
  readonly heartbeatInterval?: Duration;
  /**
   * How many failures of a kind within five minutes are alarming.
   * @default - see AlarmThresholds
   */
  readonly thresholds?: AlarmThresholds;
  /**
   * AS2 names of partners, for each of which messages that fail are alarming.
   * @default - none
   */
  readonly as2Partners?: string[];
  /**
   * Who is told.
   * @default - a new topic, encrypted with a key of its own
   */
  readonly topic?: ITopic;
  /**
   * Addresses that get a mail for each alarm, where no topic is given. Each has to confirm once.
   * @default - none
   */
  readonly emails?: string[];
}

/** How long silence lasts before it is told: long enough for an instance to be replaced in, and for the first one to begin. */
const SILENCE = Duration.minutes(15);
/** In how many periods it is looked at, each of which must be silent. */
const SILENT_PERIODS = 3;

/** Partners of AS2 that have an alarm each; of more than these, one alarm hears of all. */
const MOST_PARTNERS = 50;

/** Days before its end at which the served certificate is alarming. */
const CERTIFICATE_DAYS = [30, 14, 7, 1];

/** When somebody is to be called: an alarm for each thing that goes wrong, and one that tells an attack. */
export class ServiceAlarms extends Construct {
  /** Hears every alarm, and when it is over. */
  public readonly topic: ITopic;
  /** Two signs of an attack at once, or malware. */
  public readonly attack: CompositeAlarm;
  /** Every alarm by itself, the attack alarm left out. */
  public readonly alarms: Alarm[] = [];
  /** Each hears those of one part in a third stack. */
  private readonly heard: CompositeAlarm[] = [];
  private readonly action: SnsAction;

  constructor(scope: Construct, id: string, props: ServiceAlarmsProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServiceAlarmsProps');
    const { auditLog, instances = 1, heartbeatInterval = Duration.seconds(60), thresholds = {}, topic, emails, groupName } = props;
    const heartbeatSeconds = heartbeatInterval.toSeconds();
    if (topic && emails) throw new Error('alarmEmails: go to a topic that is made for them; subscribe them to alarmTopic instead');
    if (heartbeatSeconds > SILENCE.toSeconds() / 3)
      throw new Error(`heartbeatInterval: ${heartbeatSeconds} seconds are too seldom for silence to be noticed; at most ${SILENCE.toSeconds() / 3}`);
    for (const [key, value] of Object.entries(thresholds))
      if (value !== undefined && !(Number.isInteger(value) && value >= 1))
        throw new Error(`alarmThresholds.${key}: ${JSON.stringify(value)} is no number of failures; write 1 or more`);
    this.topic = topic ?? new AlarmTopic(this, 'Topic', { emails }).topic;
    this.action = new SnsAction(this.topic);

    const malware = this.addAlarm('Malware', auditLog.metricMalware(), 1, 'An upload was infected and refused. The saved query "malware" says whose.');
    const handshakes = listed(
      auditLog._protocols.map((one) => one.handshakes),
      'or',
    );
    const signs = [
      this.addAlarm('HandshakeFailures', auditLog.metricHandshakeFailures(), thresholds.handshakeFailures ?? 50, `Many ${handshakes} handshakes fail.`),
      this.addAlarm('FailedLogins', auditLog.metricFailedLogins(), thresholds.failedLogins ?? 20, 'Many logins are refused.'),
      this.addAlarm('Lockouts', auditLog.metricLockouts(), thresholds.lockouts ?? 1, 'An address or account was locked out.'),
      this.addAlarm('RefusedPorts', auditLog.metricRefusedPorts(), thresholds.refusedPorts ?? 20, 'Strangers knock at the passive ports, or a partner breaks.'),
      this.addAlarm('RefusedConnections', auditLog.metricRefusedConnections(), thresholds.refusedConnections ?? 100, 'Many connections are refused.'),
    ];
    this.addAlarm('TransferErrors', auditLog.metricTransferErrors(), thresholds.transferErrors ?? 20, 'Many transfers fail or are cut.');
    this.addAlarm('UnavailableLogins', auditLog.metricUnavailableLogins(), 1, 'Logins can not be decided: the source of accounts does not answer.');
    this.addAlarm(
      'DrainTimeouts',
      auditLog.metricDrainTimeouts(),
      1,
      'Transfers were cut because they outlasted a drain; limits.drainSeconds may be too short.',
    );
    this.addAlarm('WorkersLost', auditLog.metricWorkersLost(), 1, 'A worker process of the server died; its sessions were lost.');
    this.addAlarm('ScannerDown', auditLog.metricScannerDown(), 1, 'The malware scanner does not answer; uploads are treated as antivirus settings say.');
    this.addAlarm(
      'PartsDown',
      auditLog.metricPartsDown(),
      1,
      'Directory, storage, firewall, EventBridge, an issuer or an endpoint of webhooks do not answer on an instance; its audit says which.',
    );
    this.addAlarm(
      'CertificatesRefused',
      auditLog.metricCertificatesRefused(),
      1,
      'An instance refused a new certificate and serves the last good one; the audit says why.',
    );
    if (auditLog._webhooks)
      this.addAlarm(
        'WebhooksGivenUp',
        auditLog.metricWebhooksGivenUp(),
        1,
        'An upload was not told to a webhook, which did not take it for too long or whose instance ended before; the saved query "webhooks-given-up" says which.',
      );
    for (const { id: protocol, name, failures } of auditLog._protocols)
      for (const { name: failure, words } of failures) this.addAlarm(protocol + failure, auditLog.metricOfProtocol(name, failure), 1, words);
    this.watchPartners(auditLog, props.as2Partners ?? []);
    this.watchSilence(auditLog, instances, heartbeatSeconds, groupName);
    this.watchCertificate(auditLog);
    this.watchArchive(auditLog);

    this.attack = new CompositeAlarm(this, 'Attack', {
      alarmDescription:
        'FTPS: looks like an attack. Two of handshake failures, failed logins, lock-outs, refused ports and refused connections at once, or malware.',
      alarmRule: AlarmRule.anyOf(
        AlarmRule.fromAlarm(malware, AlarmState.ALARM),
        // Written out, because older versions of the CDK have no AlarmRule.atLeast.
        AlarmRule.fromString(`AT_LEAST(2, ${AlarmState.ALARM}, (${signs.map(({ alarmArn }) => `"${alarmArn}"`).join(', ')}))`),
      ),
    });
    tell([this.attack], this.action);
  }

  /** Lets every alarm do something when it begins and when it ends. */
  public addAlarmAction(action: IAlarmAction): void {
    tell([...this.alarms, ...this.heard, this.attack], action);
  }

  /**
   * Takes up the alarms that another construct made, so that they call the same people. Those of a third stack, neither the topic's nor this
   * one, are heard by an alarm here that goes off when one of them does: if they named the topic, the two stacks would need each other.
   */
  public adopt(construct: IConstruct): void {
    const stacks = [Stack.of(this), Stack.of(this.topic)];
    const found = construct.node.findAll().filter((one): one is Alarm => one instanceof Alarm && !this.alarms.includes(one));
    const near = found.filter((alarm) => stacks.includes(Stack.of(alarm)));
    tell(near, this.action);
    this.alarms.push(...near);
    this.hear(
      construct,
      found.filter((alarm) => !near.includes(alarm)),
    );
  }

  private hear(part: IConstruct, alarms: readonly Alarm[]): void {
    if (alarms.length === 0) return;
    const heard = new CompositeAlarm(this, `Of${part.node.id}${digest(part.node.path)}`, {
      alarmDescription: `FTPS: an alarm of ${part.node.path} went off; the message names it, and its description says what to do.`,
      alarmRule: AlarmRule.anyOf(...alarms.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
    tell([heard], this.action);
    this.heard.push(heard);
  }

  /** An alarm of yours that calls the same people. It goes off at or above the threshold. */
  public addAlarm(id: string, metric: IMetric, threshold: number, description: string): Alarm {
    return this.make(id, metric, threshold, description, ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, TreatMissingData.NOT_BREACHING);
  }

  private make(
    id: string,
    metric: IMetric,
    threshold: number,
    description: string,
    comparisonOperator: ComparisonOperator,
    treatMissingData: TreatMissingData,
    evaluationPeriods = 1,
  ): Alarm {
    const alarm = new Alarm(this, id, {
      alarmDescription: `FTPS: ${description}`,
      metric,
      threshold,
      comparisonOperator,
      treatMissingData,
      evaluationPeriods,
    });
    tell([alarm], this.action);
    this.alarms.push(alarm);
    return alarm;
  }

  /** Missing heartbeats tell of a server that is gone, of an audit that is not written, and of one that does not arrive. */
  private watchSilence(auditLog: AuditLog, instances: number, heartbeatSeconds: number, groupName: string | undefined): void {
    const period = Duration.seconds(SILENCE.toSeconds() / SILENT_PERIODS);
    const beats = auditLog.metricHeartbeats({ period });
    this.make(
      'AuditSilence',
      groupName === undefined ? beats : heartbeatsOf(groupName, beats, period),
      (period.toSeconds() / heartbeatSeconds) * (instances - 0.5),
      `The audit of an instance has been silent for ${SILENCE.toMinutes()} minutes: ${instances === 1 ? 'it does' : `of ${instances}, at least one does`} not serve, or its audit does not arrive.`,
      ComparisonOperator.LESS_THAN_THRESHOLD,
      groupName === undefined ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      SILENT_PERIODS,
    );
  }

  /** Each by itself while they are few; a stack has room for 500 resources. */
  private watchPartners(auditLog: AuditLog, partners: readonly string[]): void {
    const { dimension, words } = as2.failuresByPeer!;
    if (partners.length <= MOST_PARTNERS) {
      for (const partner of partners) this.addAlarm(`As2Failures${digest(partner)}`, auditLog.metricAs2Failures(partner), 1, words(partner));
      return;
    }
    const { namespace, metricName } = auditLog.metricAs2Failures(partners[0]!);
    // CloudWatch user guide, "Create an alarm based on a Metrics Insights query".
    const all = new MathExpression({
      expression: `SELECT SUM("${metricName}") FROM SCHEMA("${namespace}", ${dimension})`,
      label: 'Failures',
      period: Duration.minutes(5),
    });
    this.addAlarm('As2Failures', all, 1, words('any of the partners'));
  }

  private watchCertificate(auditLog: AuditLog): void {
    for (const days of CERTIFICATE_DAYS)
      this.make(
        `CertificateDaysLeft${days}`,
        auditLog.metricCertificateDaysLeft(),
        days,
        `The certificate that an instance serves lasts fewer than ${days} days. The alarms of the rotation say why it was not replaced.`,
        ComparisonOperator.LESS_THAN_THRESHOLD,
        // Silence has an alarm of its own.
        TreatMissingData.IGNORE,
      );
  }

  private watchArchive({ archive }: AuditLog): void {
    if (!archive) return;
    this.addAlarm(
      'ArchiveBehind',
      archive.metricDataFreshness(),
      3_600,
      'Lines of the audit have waited for more than an hour for their archive. The operations log says why.',
    );
    this.addAlarm(
      'ArchiveConversion',
      archive.metricFailedConversions(),
      1,
      'A line of the audit fits no column of the table; it lies below failed/ in the archive.',
    );
  }
}

/**
 * Heartbeats, and nothing of them where the group is there and no instance says anything: CloudWatch leaves out what has no data, and of a
 * group that is not there yet there are none.
 */
function heartbeatsOf(groupName: string, beats: IMetric, period: Duration): IMetric {
  const group = new Metric({
    namespace: 'AWS/AutoScaling',
    metricName: 'GroupInServiceInstances',
    dimensionsMap: { AutoScalingGroupName: groupName },
    statistic: 'Sum',
    period,
  });
  const none = new MathExpression({ expression: 'group * 0', usingMetrics: { group }, period });
  return new MathExpression({ expression: 'SUM([beats, none])', usingMetrics: { beats, none }, label: 'Heartbeats', period });
}

function tell(alarms: readonly AlarmBase[], action: IAlarmAction): void {
  for (const alarm of alarms) {
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    // Data that stop are told, where the alarm says that they should; a new alarm, which has none yet, tells nothing.
    if ((alarm.node.defaultChild as CfnAlarm).treatMissingData === TreatMissingData.MISSING) alarm.addInsufficientDataAction(action);
  }
}
