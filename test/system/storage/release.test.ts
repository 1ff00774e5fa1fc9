/** The built release Lambda against moto: what GuardDuty says decides what clients see. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import type { Storage, Volume } from '../../../server/storage/storage';
import { names, read } from '../../server/storage/conformance';
import { openS3, type S3Server, startS3 } from './servers';

const PREFIX = 'uploads/';
let s3: S3Server;
let eventBridge: Server;
/** Details of the events that EventBridge took. */
let events: Record<string, unknown>[];
let refuseEvents = false;
let files: string;
let quarantine: string;
let storage: Storage;
let volume: Volume;

beforeAll(async () => {
  s3 = await startS3('moto');
  // Passes events on to moto, which checks them, and keeps what it took.
  eventBridge = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (refuseEvents) return void response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' }).end('{"__type":"AccessDeniedException"}');
    const { host: _h, connection: _c, 'content-length': _l, 'transfer-encoding': _t, expect: _e, ...headers } = request.headers;
    const answer = await fetch(s3.endpoint, { method: 'POST', headers: headers as Record<string, string>, body: Buffer.concat(chunks) });
    const text = await answer.text();
    if (answer.ok && JSON.parse(text).FailedEntryCount === 0)
      for (const { Source, DetailType, Detail } of JSON.parse(Buffer.concat(chunks).toString()).Entries)
        events.push({ Source, DetailType, ...JSON.parse(Detail) });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(text);
  });
  eventBridge.listen(0, '127.0.0.1');
  await once(eventBridge, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(eventBridge.address() as AddressInfo).port}`,
  });
});
afterAll(async () => {
  eventBridge.closeAllConnections();
  eventBridge.close();
  await s3.stop();
});

beforeEach(async () => {
  events = [];
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

/** One run of the Lambda as it is deployed. */
async function run(event: unknown): Promise<readonly { id: string; outcome: string }[]> {
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
  const { handler } = require('../../../dist/lambda/storage-release/index.js');
  metrics = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    if (String(text).includes('_aws')) metrics.push(JSON.parse(String(text)));
    return true;
  });
  try {
    return await handler(event);
  } finally {
    write.mockRestore();
  }
}

const scanned = (id: string, scanResultStatus: string, { key = `${PREFIX}${id}`, bucket = quarantine, eTag = undefined as string | undefined } = {}) => ({
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
  expect(events).toEqual([{ Source: 'cdk-ftps', DetailType: 'FTPS Upload Released', user: 'partner', path: '/invoice.pdf', file, bytes: 7, ...facts }]);
  expect(storage.locate('/partner', '/invoice.pdf')).toBe(file);
  expect(await storage.quarantine.list()).toEqual([]);
  expect(await run(scanned(id, 'NO_THREATS_FOUND'))).toEqual([{ id, outcome: 'gone' }]);
  expect(events).toHaveLength(1);
});

it('keeps an infected upload for the operator, and counts it', async () => {
  const id = await upload('/bad.exe', 'EVIL');
  expect(await run(scanned(id, 'THREATS_FOUND'))).toEqual([{ id, outcome: 'infected' }]);
  expect(metrics).toMatchObject([{ UploadsInfected: 1 }]);
  expect(await names(volume)).toEqual([]);
  expect(events).toEqual([]);
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
  expect(events.map(({ bytes }) => bytes)).toEqual([7, 4]);
});

it('takes no notice of records, of other buckets, of GuardDuty’s own test, or of a version that is no longer there', async () => {
  const id = await upload('/file', 'content');
  for (const place of [
    { key: `${PREFIX}${id}.json` },
    { bucket: files },
    { key: 'malware-protection-resource-validation-object' },
    { key: `${PREFIX}../${id}` },
  ])
    expect(await run(scanned(id, 'NO_THREATS_FOUND', place))).toEqual([]);
  expect(await run(scanned(id, 'NO_THREATS_FOUND', { eTag: 'of-other-bytes' }))).toEqual([{ id, outcome: 'other-version' }]);
  expect(await names(volume)).toEqual([]);
});

it('finishes in a second run what failed in the first, without losing the event', async () => {
  const id = await upload('/file', randomBytes(100_000));
  refuseEvents = true;
  await expect(run(scanned(id, 'NO_THREATS_FOUND'))).rejects.toThrow();
  refuseEvents = false;
  expect(await storage.quarantine.list()).toHaveLength(1);
  expect(await run(scanned(id, 'NO_THREATS_FOUND'))).toEqual([{ id, outcome: 'released' }]);
  expect(events).toHaveLength(1);
  expect(await storage.quarantine.list()).toEqual([]);
});

it('gets through throttling, and duplicates at the same time', async () => {
  const id = await upload('/file', randomBytes(100_000));
  let requests = 0;
  s3.judge = () => (++requests % 3 === 0 ? 'throttle' : 'pass');
  const outcomes = await Promise.all([run(scanned(id, 'NO_THREATS_FOUND')), run(scanned(id, 'NO_THREATS_FOUND'))]).then((all) => all.flat());
  expect(outcomes.every(({ outcome }) => outcome === 'released' || outcome === 'gone')).toBe(true);
  s3.judge = () => 'pass';
  expect((await volume.stat('/file')).size).toBe(100_000);
  expect(await storage.quarantine.list()).toEqual([]);
});

it('looks after uploads whose event was lost: by their tag, or by an alarm', async () => {
  const [tagged, silent] = [await upload('/tagged', 'x'), await upload('/silent', 'x')];
  await s3.client.send(
    new PutObjectTaggingCommand({
      Bucket: quarantine,
      Key: `${PREFIX}${tagged}`,
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
