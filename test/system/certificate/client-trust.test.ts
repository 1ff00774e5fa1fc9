/** From an authority's distribution point to the running server: the built Lambda, moto's S3, and client certificates against the built server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Issued, TestAuthority } from '../../server/support/authority';
import { type ServedProcess, serveConfigured } from '../support/served';
import { type Moto, startMoto } from './moto';

let folder: string;
let moto: Moto;
let s3: S3Client;
let server: ServedProcess | undefined;
let point: Server;
/** What the authority publishes. */
let published = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-trust-'));
  moto = await startMoto();
  s3 = new S3Client({ forcePathStyle: true });
  point = createServer((_request, response) => response.end(published));
  await new Promise<void>((resolve) => point.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await server?.stop();
  point.close();
  await moto.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** One run of the Lambda; returns the hours that it measured. */
async function refresh(
  event: { source?: string } = { source: 'aws.events' },
  further: string[] = [],
  bucket = 'trust',
): Promise<{ error?: string; hoursLeft?: number }> {
  const url = `http://127.0.0.1:${(point.address() as AddressInfo).port}/partners.crl`;
  const settings = {
    SOURCE_BUCKET: 'source',
    SOURCE_KEY: 'bundle.pem',
    BUCKET: bucket,
    CA_KEY: 'client-ca.pem',
    CRL_KEY: 'client-crl.pem',
    CRL_URLS: [url, ...further].join(' '),
  };
  Object.assign(process.env, settings, { METRIC_NAMESPACE: 'CdkFtps', METRIC_TRUST: 'test' });
  const { handler } = require('../../../dist/lambda/certificate-client-trust/index.js');
  const log = jest.spyOn(console, 'log').mockReturnValue();
  try {
    const error = await handler(event).then(
      () => undefined,
      ({ message }: Error) => message,
    );
    return { error, hoursLeft: JSON.parse(log.mock.calls.at(-1)![0]).ClientCrlHoursLeft };
  } finally {
    log.mockRestore();
  }
}

/** Whether the server lets this client through the handshake and to its greeting. */
async function letsIn(port: number, ca: string, { certificate, key }: Issued): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, ca, cert: certificate, key, servername: 'localhost' });
  return new Promise((resolve) => {
    socket
      .once('data', () => {
        resolve(true);
        socket.destroy();
      })
      .once('error', () => resolve(false))
      .once('close', () => resolve(false));
  });
}

it('a certificate that its authority revokes is refused within the interval, and a list that is not in order changes nothing', async () => {
  const [root, partners] = [await TestAuthority.create(), await TestAuthority.create('CN=Partners')];
  const [ours, good, bad] = [await root.issue(), await partners.issue({ client: true }), await partners.issue({ client: true })];
  for (const Bucket of ['source', 'trust']) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'bundle.pem', Body: partners.pem }));
  published = await partners.revoke();
  const first = await refresh();
  expect(first.error).toBeUndefined();
  expect(first.hoursLeft).toBeGreaterThan(23);

  for (const [name, content] of Object.entries({ certificate: `${ours.certificate}\n${root.pem}`, key: ours.key, accounts: '{"accounts": []}' }))
    writeFileSync(join(folder, name), content);
  server = await serveConfigured({
    listeners: [{ mode: 'implicit', host: '127.0.0.1', port: 0, clientCertificates: 'required' }],
    passive: { ports: 'any:2' },
    tls: {
      certificates: [{ kind: 'file', certificate: join(folder, 'certificate'), key: join(folder, 'key') }],
      clientCa: 's3://trust/client-ca.pem',
      clientCrl: 's3://trust/client-crl.pem',
      clientPollSeconds: 1,
    },
    identity: [{ kind: 'file', file: join(folder, 'accounts') }],
  });
  const { implicit: port, auditFile } = server;
  expect(await letsIn(port, root.pem, good)).toBe(true);
  expect(await letsIn(port, root.pem, bad)).toBe(true);

  const inBucket = async () => (await s3.send(new GetObjectCommand({ Bucket: 'trust', Key: 'client-crl.pem' }))).Body!.transformToString();
  const before = await inBucket();
  for (const [wrong, reason] of [
    [await root.revoke(good.serialNumber), /signed by no authority of the bundle/],
    ['<html>Not found</html>', /is no revocation list/],
  ] as const) {
    published = wrong;
    const { error, hoursLeft } = await refresh();
    expect(error).toMatch(reason);
    expect(hoursLeft).toBeGreaterThan(23); // what the instances have still stands, and that is what is measured
    expect(await inBucket()).toBe(before);
  }

  published = await partners.revoke(bad.serialNumber);
  expect((await refresh()).error).toBeUndefined();
  const reloaded = () => readFileSync(auditFile, 'utf8').includes('client authorities');
  for (let attempt = 0; attempt < 200 && !reloaded(); attempt += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await letsIn(port, root.pem, bad)).toBe(false);
  expect(await letsIn(port, root.pem, good)).toBe(true);
});

describe('a deployment', () => {
  const dead = 'http://127.0.0.1:1/others.crl';
  const deploy = (further: string[], bucket: string) => refresh({}, further, bucket);
  let partners: TestAuthority;
  let others: TestAuthority;
  const lists = async (Bucket: string) =>
    (await (await s3.send(new GetObjectCommand({ Bucket, Key: 'client-crl.pem' }))).Body!.transformToString()).match(/BEGIN X509 CRL/g)?.length;
  beforeAll(async () => {
    [partners, others] = [await TestAuthority.create('CN=Partners'), await TestAuthority.create('CN=Others')];
    for (const Bucket of ['first', 'second']) await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket: 'source', Key: 'bundle.pem', Body: `${partners.pem}\n${others.pem}` }));
    published = await partners.revoke();
  });

  it('does not fail for one partner whose list can not be had: the others’ are taken, and the schedule tells', async () => {
    expect((await deploy([dead], 'first')).error).toBeUndefined();
    expect(await lists('first')).toBe(1);
    expect((await refresh({ source: 'aws.events' }, [dead], 'first')).error).toMatch(/fetch failed|ECONNREFUSED|others\.crl/);
  });

  it('keeps the list that was there before of an authority whose own can not be had now', async () => {
    const elsewhere = createServer(async (_request, response) => response.end(await others.revoke()));
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    expect((await deploy([`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/others.crl`], 'first')).error).toBeUndefined();
    elsewhere.close();
    elsewhere.closeAllConnections();
    expect(await lists('first')).toBe(2);
    expect((await deploy([dead], 'first')).error).toBeUndefined();
    expect(await lists('first')).toBe(2);
  });

  it('fails where the instances would have nothing to serve with', async () => {
    published = '<html>Not found</html>';
    expect((await deploy([dead], 'second')).error).toMatch(/is no revocation list/);
  });
});
