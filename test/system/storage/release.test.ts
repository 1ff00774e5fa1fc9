/** The built release Lambda against moto: what GuardDuty says decides what clients see. */
import { randomBytes } from 'node:crypto';
import { PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import type { Storage, Volume } from '../../../server/files/storage/storage';
import { names, read } from '../../server/files/storage/conformance';
import { type EventBus, startEventBus } from './event-bus';
import { type Fate, openS3, type S3Server, startS3 } from './servers';

const PREFIX = 'uploads/';
let s3: S3Server;
let bus: EventBus;
let files: string;
let quarantine: string;
let storage: Storage;
let volume: Volume;

beforeAll(async () => {
  s3 = await startS3('moto');
  bus = await startEventBus(s3.endpoint);
  Object.assign(process.env, { AWS_ENDPOINT_URL_S3: s3.endpoint, AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint });
});
afterAll(async () => {
  bus.close();
  await s3.stop();
});

beforeEach(async () => {
  bus.events = [];
  [files, quarantine] = [await s3.newBucket(), await s3.newBucket()];
  storage = openS3(s3, files, { release: 'guardduty', quarantine: { bucket: quarantine, prefix: PREFIX } }, false);
  volume = await storage.open({ user: 'partner', home: '/partner' });
});
afterEach(async () => {
  s3.judge = () => 'pass';
  await storage.close();
});

const facts = { client: '192.0.2.1', session: 'session', sha256: 'abc' };

/** Uploads and answers with the id that it waits under. */
async function upload(path: string, content: string | Buffer): Promise<string> {
  const before = new Set((await storage.quarantine.list()).map(({ id }) => id));
  const handle = await volume.openWrite(path, { kind: 'replace' });
  await handle.write([Buffer.from(content)]);
  expect(await handle.commit(facts)).toBe('held');
  return (await storage.quarantine.list()).find(({ id }) => !before.has(id))!.id;
}

interface Metric {
  readonly [name: string]: unknown;
}

let metrics: Metric[];

interface Outcome {
  readonly id: string;
  readonly outcome: string;
}

/** The Lambda as it is deployed, for the buckets of this test. */
function lambda(): (event: unknown) => Promise<readonly Outcome[]> {
  Object.assign(process.env, {
    FILES_BUCKET: files,
    QUARANTINE_BUCKET: quarantine,
    QUARANTINE_PREFIX: PREFIX,
    KMS_KEY_ID: 'alias/test',
    EVENT_BUS: 'default',
    METRIC_NAMESPACE: 'CdkFtps',
    METRIC_STORAGE: 'test',
    POWERTOOLS_LOG_LEVEL: 'SILENT',
  });
  return require('../../../dist/lambda/storage-release/index.js').handler;
}

/** One run of it. */
async function run(event: unknown): Promise<readonly Outcome[]> {
  return (await runs(event))[0]!;
}

/** Runs of the Lambda at the same time; over when each of them is. */
async function runs(...events: readonly unknown[]): Promise<(readonly Outcome[])[]> {
  const handler = lambda();
  metrics = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    if (String(text).includes('_aws')) metrics.push(JSON.parse(String(text)));
    return true;
  });
  try {
    const ended: PromiseSettledResult<readonly Outcome[]>[] = await Promise.allSettled(events.map((event) => handler(event)));
    return ended.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  } finally {
    write.mockRestore();
  }
}

const scanned = (id: string, scanResultStatus: string, { key = `${PREFIX}held/${id}`, bucket = quarantine, eTag = undefined as string | undefined } = {}) => ({
  source: 'aws.guardduty',
  'detail-type': 'GuardDuty Malware Protection Object Scan Result',
  detail: {
    schemaVersion: '1.0',
    scanStatus: 'COMPLETED',
    resourceType: 'S3_OBJECT',
    s3ObjectDetails: { bucketName: bucket, objectKey: key, eTag, versionId: 'v', s3Throttled: false },
    scanResultDetails: { scanResultStatus, threats: scanResultStatus === 'THREATS_FOUND' ? [{ name: 'EICAR-Test-File' }] : null },
  },
});

it('shows an upload when it was found clean and not before, announces it once, and forgets it', async () => {
  const id = await upload('/invoice.pdf', 'content');
  expect(await names(volume)).toEqual([]);
  await expect(volume.openRead('/invoice.pdf', 0)).rejects.toMatchObject({ code: 'not-found' });
  expect(await storage.quarantine.list()).toMatchObject([{ id, state: 'waiting', path: '/invoice.pdf', user: 'partner', size: 7, ...facts }]);

  expect(await run(scanned(id, 'NO_THREATS_FOUND'))).toEqual([{ id, outcome: 'released' }]);
  expect((await read(volume, '/invoice.pdf')).toString()).toBe('content');
  const file = `s3://${files}/partner/invoice.pdf`;
  const verdict = { result: 'clean', engine: 'Amazon GuardDuty Malware Protection' };
  expect(bus.events).toEqual([
    { Source: 'cdk-ftps', DetailType: 'FTPS Upload Released', id, storage: 'test', user: 'partner', path: '/invoice.pdf', file, bytes: 7, verdict, ...facts },
  ]);
  expect(storage.locate('/partner', '/invoice.pdf')).toBe(file);
  expect(await storage.quarantine.list()).toEqual([]);
  expect(await run(scanned(id, 'NO_THREATS_FOUND'))).toEqual([{ id, outcome: 'gone' }]);
  expect(bus.events).toHaveLength(1);
});

it('keeps an infected upload for the operator, and counts it', async () => {
  const id = await upload('/bad.exe', 'EVIL');
  expect(await run(scanned(id, 'THREATS_FOUND'))).toEqual([{ id, outcome: 'infected' }]);
  expect(metrics).toMatchObject([{ UploadsInfected: 1 }]);
  expect(await names(volume)).toEqual([]);
  expect(bus.events).toEqual([]);
  expect(await storage.quarantine.list()).toMatchObject([
    { id, state: 'infected', signature: 'EICAR-Test-File', engine: 'Amazon GuardDuty Malware Protection' },
  ]);
  await storage.quarantine.release(id);
  expect((await read(volume, '/bad.exe')).toString()).toBe('EVIL');
});

it.each(['UNSUPPORTED', 'ACCESS_DENIED', 'FAILED', 'SOMETHING_NEW'])('holds what was not scanned (%s), and counts it', async (status) => {
  const id = await upload('/locked.zip', 'secret');
  expect(await run(scanned(id, status))).toEqual([{ id, outcome: 'unscanned' }]);
  expect(metrics).toMatchObject([{ UploadsUnscanned: 1 }]);
  expect(await names(volume)).toEqual([]);
  expect(await storage.quarantine.list()).toMatchObject([{ id, state: 'unscanned', detail: status }]);
});

it('lets the younger of two uploads stand, whichever was scanned first', async () => {
  const [older, younger] = [await upload('/report', 'older'), await upload('/report', 'younger')];
  expect(await run(scanned(younger, 'NO_THREATS_FOUND'))).toEqual([{ id: younger, outcome: 'released' }]);
  expect(await run(scanned(older, 'NO_THREATS_FOUND'))).toEqual([{ id: older, outcome: 'superseded' }]);
  expect((await read(volume, '/report')).toString()).toBe('younger');
  const next = await upload('/report', 'next');
  await run(scanned(next, 'NO_THREATS_FOUND'));
  expect((await read(volume, '/report')).toString()).toBe('next');
  expect(bus.events.map(({ bytes }) => bytes)).toEqual([7, 4]);
});

it('takes no notice of records, of other buckets, of GuardDuty’s own test, or of a version that is no longer there', async () => {
  const id = await upload('/file', 'content');
  for (const place of [
    { key: `${PREFIX}records/${id}.json` },
    { bucket: files },
    { key: 'malware-protection-resource-validation-object' },
    { key: `${PREFIX}held/../${id}` },
  ])
    expect(await run(scanned(id, 'NO_THREATS_FOUND', place))).toEqual([]);
  expect(await run(scanned(id, 'NO_THREATS_FOUND', { eTag: 'of-other-bytes' }))).toEqual([{ id, outcome: 'other-version' }]);
  expect(await names(volume)).toEqual([]);
});

it('finishes in a second run what failed in the first, without losing the event', async () => {
  const id = await upload('/file', randomBytes(100_000));
  bus.refuse = true;
  await expect(run(scanned(id, 'NO_THREATS_FOUND'))).rejects.toThrow();
  bus.refuse = false;
  expect(await storage.quarantine.list()).toHaveLength(1);
  expect(await run(scanned(id, 'NO_THREATS_FOUND'))).toEqual([{ id, outcome: 'released' }]);
  expect(bus.events).toHaveLength(1);
  expect(await storage.quarantine.list()).toEqual([]);
});

it('gets through throttling, and duplicates at the same time', async () => {
  const id = await upload('/file', randomBytes(100_000));
  let requests = 0;
  s3.judge = () => (++requests % 3 === 0 ? 'throttle' : 'pass');
  const outcomes = (await runs(scanned(id, 'NO_THREATS_FOUND'), scanned(id, 'NO_THREATS_FOUND'))).flat();
  expect(outcomes.every(({ outcome }) => outcome === 'released' || outcome === 'gone')).toBe(true);
  s3.judge = () => 'pass';
  expect((await volume.stat('/file')).size).toBe(100_000);
  expect(await storage.quarantine.list()).toEqual([]);
});

/**
 * Has `meanwhile` done while a run of the Lambda stands still before each of its requests to S3 in turn, from the first to the last:
 * every order in which two can meet that matters. `prepare` makes a new upload for each.
 */
async function atEveryMoment(
  prepare: (moment: number) => Promise<string>,
  event: (id: string) => unknown,
  meanwhile: (id: string) => Promise<unknown>,
  afterwards: (id: string, outcome: string | undefined) => Promise<void>,
): Promise<number> {
  const handler = lambda();
  for (let moment = 1; ; moment += 1) {
    s3.judge = () => 'pass';
    const id = await prepare(moment);
    let requests = 0;
    let reached = false;
    s3.judge = async (): Promise<Fate> => {
      requests += 1;
      if (requests === moment) {
        reached = true;
        await meanwhile(id);
      }
      return 'pass';
    };
    const [outcome] = await handler(event(id));
    s3.judge = () => 'pass';
    if (!reached) return moment - 1;
    await afterwards(id, outcome?.outcome);
  }
}

describe('whichever moment another comes at', () => {
  let write: jest.SpyInstance;
  beforeEach(() => {
    write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => write.mockRestore());

  it('releases an upload once, though a second event of it is handled from beginning to end meanwhile', async () => {
    const handler = lambda();
    const clean = (id: string) => scanned(id, 'NO_THREATS_FOUND');
    const outcomes: (string | undefined)[] = [];
    const moments = await atEveryMoment(
      (moment) => upload(`/file-${moment}`, `content ${moment}`),
      clean,
      async (id) => expect(await handler(clean(id))).toMatchObject([{ id, outcome: expect.stringMatching(/^(released|gone)$/) }]),
      async (_id, outcome) => {
        outcomes.push(outcome);
        expect(await storage.quarantine.list()).toEqual([]);
      },
    );
    expect(outcomes.every((outcome) => outcome === 'released' || outcome === 'gone')).toBe(true);
    expect(moments).toBeGreaterThanOrEqual(7);
    for (let moment = 1; moment <= moments; moment += 1) expect((await read(volume, `/file-${moment}`)).toString()).toBe(`content ${moment}`);
    // At least one event an upload; two where both were past the look at what is there.
    expect(new Set(bus.events.map(({ path }) => path)).size).toBe(moments + 1);
  });

  it('brings no record back of an infected upload that the operator deletes', async () => {
    const moments = await atEveryMoment(
      (moment) => upload(`/bad-${moment}`, 'EVIL'),
      (id) => scanned(id, 'THREATS_FOUND'),
      (id) => storage.quarantine.remove(id),
      async (_id, outcome) => {
        expect(['gone', 'infected']).toContain(outcome);
        expect(await storage.quarantine.list()).toEqual([]);
      },
    );
    expect(moments).toBeGreaterThanOrEqual(4);
    expect(await names(volume)).toEqual([]);
  });

  it('finishes what a run left that ended before any of its requests', async () => {
    const handler = lambda();
    let moment = 1;
    for (; ; moment += 1) {
      const id = await upload(`/file-${moment}`, 'content');
      let requests = 0;
      s3.judge = () => (++requests >= moment ? 'deny' : 'pass');
      const cut = await handler(scanned(id, 'NO_THREATS_FOUND')).then(
        () => false,
        () => true,
      );
      s3.judge = () => 'pass';
      if (!cut) break;
      await handler(scanned(id, 'NO_THREATS_FOUND'));
      expect((await read(volume, `/file-${moment}`)).toString()).toBe('content');
      expect(await storage.quarantine.list()).toEqual([]);
    }
    expect(moment).toBeGreaterThan(6);
  });
});

it('looks after uploads whose event was lost: by their tag, or by an alarm', async () => {
  const [tagged, silent] = [await upload('/tagged', 'x'), await upload('/silent', 'x')];
  await s3.client.send(
    new PutObjectTaggingCommand({
      Bucket: quarantine,
      Key: `${PREFIX}held/${tagged}`,
      Tagging: { TagSet: [{ Key: 'GuardDutyMalwareScanStatus', Value: 'NO_THREATS_FOUND' }] },
    }),
  );
  const schedule = { 'detail-type': 'Scheduled Event', source: 'aws.events' };
  expect((await run(schedule)).map(({ outcome }) => outcome)).toEqual(['waiting', 'waiting']);
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + 20 * 60_000);
  expect(await run(schedule)).toEqual([
    { id: tagged, outcome: 'released' },
    { id: silent, outcome: 'overdue' },
  ]);
  clock.mockRestore();
  expect(metrics).toContainEqual(expect.objectContaining({ UploadsOverdue: 1 }));
  expect(await names(volume)).toEqual(['tagged']);
});

it('refuses to continue an upload, which nobody could judge as a whole', async () => {
  const id = await upload('/log', 'one');
  await run(scanned(id, 'NO_THREATS_FOUND'));
  await expect(volume.openWrite('/log', { kind: 'append' })).rejects.toMatchObject({ code: 'unsupported' });
});
