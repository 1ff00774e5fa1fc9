/**
 * The Lambda that lets uploads become visible. GuardDuty's event says that a file in the quarantine was scanned: a clean one is put
 * into place and announced, any other stays. On a schedule it also looks for files whose event never came, and takes the verdict from
 * the tag that GuardDuty puts on every object it has scanned. All of it may happen twice and at the same time.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectTaggingCommand, S3Client } from '@aws-sdk/client-s3';
import { type ReleaseDetail, releaseEvent } from '../../../server/files/release/event';
import { Bucket } from '../../../server/files/storage/s3/bucket';
import { S3Quarantine, type StoredRecord } from '../../../server/files/storage/s3/quarantine';
import { report } from './metrics';
import { type Settings, settings } from './settings';

/** GuardDuty user guide, "Monitoring S3 object scans with Amazon EventBridge": what of the event is used. */
export interface ScanResultEvent {
  readonly 'detail-type': 'GuardDuty Malware Protection Object Scan Result';
  readonly detail: {
    readonly s3ObjectDetails: { readonly bucketName: string; readonly objectKey: string; readonly eTag?: string; readonly etag?: string };
    readonly scanResultDetails: { readonly scanResultStatus: string; readonly threats?: readonly { readonly name: string }[] | null };
  };
}

export type ReleaseEvent = ScanResultEvent | { readonly 'detail-type': 'Scheduled Event' };

export interface Outcome {
  readonly id: string;
  /** `gone`: settled already. `overdue`: waits for a verdict for too long. `other-version`: the event is of bytes that are no longer there. */
  readonly outcome: 'released' | 'superseded' | 'infected' | 'unscanned' | 'gone' | 'overdue' | 'waiting' | 'other-version';
}

const CLEAN = 'NO_THREATS_FOUND';
const THREATS = 'THREATS_FOUND';
/** The tag of GuardDuty, with the same words as the event (GuardDuty user guide, "Monitoring S3 object scans with GuardDuty managed tags"). */
const STATUS_TAG = 'GuardDutyMalwareScanStatus';
/** What waits that long has lost its event, or GuardDuty does not scan. */
const OVERDUE_MS = 15 * 60_000;
const ENGINE = 'Amazon GuardDuty Malware Protection';

const logger = new Logger({ serviceName: 'ftps-release' });

export async function handler(event: ReleaseEvent): Promise<readonly Outcome[]> {
  const release = new Release(settings());
  const outcomes = event['detail-type'] === 'Scheduled Event' ? await release.overdue() : await release.scanned(event.detail);
  for (const { outcome, id } of outcomes) if (outcome !== 'waiting') logger.info('an upload was looked at', { id, outcome });
  return outcomes;
}

class Release {
  private readonly s3 = new S3Client({ maxAttempts: 8 });
  private readonly events = new EventBridgeClient({ maxAttempts: 8 });
  private readonly held: Bucket;
  private readonly quarantine: S3Quarantine;

  constructor(private readonly config: Settings) {
    this.held = new Bucket(this.s3, config.quarantineBucket, config.kmsKeyId);
    this.quarantine = new S3Quarantine(this.held, config.quarantinePrefix, new Bucket(this.s3, config.filesBucket, config.kmsKeyId));
  }

  async scanned({ s3ObjectDetails, scanResultDetails }: ScanResultEvent['detail']): Promise<readonly Outcome[]> {
    const id = s3ObjectDetails.bucketName === this.config.quarantineBucket ? this.quarantine.idOf(s3ObjectDetails.objectKey) : undefined;
    if (id === undefined) return []; // a record, or GuardDuty's own test of its permissions
    const record = await this.quarantine.record(id);
    if (!record) return [{ id, outcome: 'gone' }];
    const found = await this.held.find(this.quarantine.keyOf(id));
    if (!found) {
      await this.quarantine.discard(id); // what was scanned was here: another run removed it, and may have ended before it came to the record
      return [{ id, outcome: 'gone' }];
    }
    const scannedTag = s3ObjectDetails.eTag ?? s3ObjectDetails.etag;
    if (scannedTag !== undefined && plain(scannedTag) !== plain(found.etag)) return [{ id, outcome: 'other-version' }];
    const names = (scanResultDetails.threats ?? []).map(({ name }) => name).join(', ');
    return [await this.settle(record, scanResultDetails.scanResultStatus, names || undefined)];
  }

  /** Settles what has a tag, and counts what waits for too long without one. */
  async overdue(): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const { id, state, at } of await this.quarantine.list()) {
      if (state !== 'waiting') continue;
      const record = await this.quarantine.record(id);
      const found = record && (await this.held.find(this.quarantine.keyOf(id)));
      if (!record || !found) continue; // settled meanwhile, or not all here yet
      const { TagSet } = await this.s3.send(new GetObjectTaggingCommand({ Bucket: this.held.name, Key: this.quarantine.keyOf(id) }));
      const status = TagSet?.find(({ Key }) => Key === STATUS_TAG)?.Value;
      const late = Date.now() - Date.parse(at) > OVERDUE_MS;
      outcomes.push(status !== undefined && late ? await this.settle(record, status, undefined) : { id, outcome: late ? 'overdue' : 'waiting' });
    }
    report('UploadsOverdue', outcomes.filter(({ outcome }) => outcome === 'overdue').length, this.config.metrics);
    return outcomes;
  }

  private async settle(record: StoredRecord, status: string, threats: string | undefined): Promise<Outcome> {
    const { id } = record;
    const released = status === CLEAN ? await this.release(record) : undefined;
    if (released !== undefined && released !== 'taken') return { id, outcome: released };
    const infected = status === THREATS;
    const detail = released === 'taken' ? 'another file has the name, and the account may not overwrite' : status;
    const judged = await this.quarantine.judge(
      id,
      infected ? { state: 'infected', signature: threats ?? 'not named', engine: ENGINE } : { state: 'unscanned', detail, engine: ENGINE },
    );
    if (judged === 'gone') return { id, outcome: 'gone' };
    report(infected ? 'UploadsInfected' : 'UploadsUnscanned', 1, this.config.metrics);
    return { id, outcome: infected ? 'infected' : 'unscanned' };
  }

  private async release(record: StoredRecord): Promise<'released' | 'superseded' | 'gone' | 'taken'> {
    const outcome = await this.quarantine.intoPlace(record);
    if (outcome === 'taken') return outcome; // kept for the operator: nothing that was confirmed to a client is thrown away
    if (outcome === 'released') await this.announce(record);
    await this.quarantine.discard(record.id);
    report('UploadsReleased', outcome === 'released' ? 1 : 0, this.config.metrics);
    return outcome;
  }

  private async announce({ id, user, path, key, size, sha256, client, session }: StoredRecord): Promise<void> {
    const file = `s3://${this.config.filesBucket}/${key}`;
    const verdict = { result: 'clean' as const, engine: ENGINE };
    const { storage } = this.config.metrics;
    const detail: ReleaseDetail = { id, storage, user, path, file, bytes: size, sha256, verdict, client, session };
    const { Entries } = await this.events.send(new PutEventsCommand({ Entries: [releaseEvent(this.config.eventBus, detail)] }));
    const refused = Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused) throw new Error(`EventBridge refused the event: ${refused.ErrorCode}`);
  }
}

/** S3 puts its tags in quotes, GuardDuty does not. */
const plain = (etag: string) => etag.replaceAll('"', '');
