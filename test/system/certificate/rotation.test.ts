/**
 * The built rotation Lambda against moto's ACM and Secrets Manager, and the built server that polls the secret. The Lambda reaches
 * moto through a proxy that can throttle and cut requests.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { connect } from 'node:tls';
import { ACMClient, ImportCertificateCommand } from '@aws-sdk/client-acm';
import { CreateSecretCommand, GetSecretValueCommand, ListSecretVersionIdsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Client } from 'basic-ftp';
import { certificateProblems } from '../../../server/config';
import { type Issued, TestAuthority } from '../../server/support/authority';
import { testServer } from '../../server/support/server';
import { type Moto, runRotation, startMoto } from './moto';

const names = ['localhost'];
let moto: Moto;
let proxy: Server;
let root: TestAuthority;
let intermediate: TestAuthority;
let acm: ACMClient;
let secrets: SecretsManagerClient;
let certificateArn: string | undefined;
let secretId: string;
/** Decides about each request of the Lambda; null lets it through. */
let judge: (target: string) => { status: number; type: string } | null = () => null;

beforeAll(async () => {
  moto = await startMoto();
  proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const refused = judge(String(request.headers['x-amz-target']).split('.').at(-1)!);
    if (refused) {
      response.writeHead(refused.status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ __type: refused.type, message: refused.type }));
      return;
    }
    const { host: _h, connection: _c, 'content-length': _l, 'transfer-encoding': _t, expect: _e, ...headers } = request.headers;
    const answer = await fetch(`${moto.url}${request.url}`, {
      method: request.method,
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  acm = new ACMClient({});
  secrets = new SecretsManagerClient({});
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  root = await TestAuthority.create();
  intermediate = await TestAuthority.create('CN=Test Intermediate', root);
});

afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await moto.stop();
});

beforeEach(async () => {
  judge = () => null;
  certificateArn = undefined;
  const { ARN } = await secrets.send(new CreateSecretCommand({ Name: `certificate-${randomBytes(4).toString('hex')}`, SecretString: 'generated' }));
  secretId = ARN!;
});

/** Lets ACM have this certificate, under the same ARN as before: that is a renewal. */
async function acmHas(issued: Issued, { chain = `${intermediate.pem}\n${root.pem}`, key = issued.key } = {}): Promise<void> {
  const answer = await acm.send(
    new ImportCertificateCommand({
      CertificateArn: certificateArn,
      Certificate: Buffer.from(issued.certificate),
      PrivateKey: Buffer.from(key),
      CertificateChain: chain ? Buffer.from(chain) : undefined,
    }),
  );
  certificateArn = answer.CertificateArn;
}

const run = (event: unknown = { 'detail-type': 'ACM Certificate Available' }) =>
  runRotation({ CERTIFICATE_ARN: certificateArn, SECRET_ID: secretId, NAMES: names.join(','), MIN_DAYS_LEFT: '1' }, event);

async function current(): Promise<{ certificate: string; chain: string; privateKey: string }> {
  return JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString!);
}

async function expectServed(issued: Issued): Promise<void> {
  const material = await current();
  expect(certificateProblems(material, { names })).toEqual([]);
  expect(material.certificate.trim()).toBe(issued.certificate.trim());
}

describe('the rotation Lambda against moto', () => {
  it('exports first, renews, and makes no version of an unchanged serial, by duplicate and reordered events too', async () => {
    const [first, second] = [await intermediate.issue({ names, from: -3 }), await intermediate.issue({ names, rsa: true })];
    await acmHas(first);
    expect((await run()).outcome).toBe('rotated');
    await expectServed(first);
    await acmHas(second);
    expect((await run({ 'detail-type': 'ACM Certificate Rotated' })).outcome).toBe('rotated');
    for (const event of ['ACM Certificate Available', 'ACM Certificate Approaching Expiration', 'ACM Certificate Available'])
      expect((await run({ 'detail-type': event })).outcome).toBe('current');
    await expectServed(second);
    const { Versions } = await secrets.send(new ListSecretVersionIdsCommand({ SecretId: secretId, IncludeDeprecated: true }));
    expect(Versions).toHaveLength(3); // the generated one, and two certificates
  });

  it.each([
    [
      'a key of another certificate',
      async () => acmHas(await intermediate.issue({ names }), { key: (await intermediate.issue({ names })).key }),
      /belongs to another/,
    ],
    ['no chain', async () => acmHas(await intermediate.issue({ names }), { chain: '' }), /chain is missing/],
    ['a truncated chain', async () => acmHas(await intermediate.issue({ names }), { chain: intermediate.pem }), /short of a root/],
    ['another name', async () => acmHas(await intermediate.issue({ names: ['other.example.com'] })), /does not cover localhost/],
    ['an end that has passed', async () => acmHas(await intermediate.issue({ names, from: -10, until: -1 })), /expired/],
  ])('refuses %s and leaves the current one', async (_name, prepare, message) => {
    const good = await intermediate.issue({ names, from: -3 });
    await acmHas(good);
    await run();
    await prepare();
    await expect(run()).rejects.toThrow(message);
    await expectServed(good);
  });

  it('fails a deployment only where nothing could be served', async () => {
    await acmHas(await intermediate.issue({ names, from: -10, until: -1 }));
    await expect(run({})).rejects.toThrow(/expired/); // the first one
    const good = await intermediate.issue({ names, from: -3 });
    await acmHas(good);
    await run({});
    await acmHas(await intermediate.issue({ names, from: -10, until: -1 }));
    const answer = await run({});
    expect(answer.outcome).toBeUndefined();
    await expectServed(good);
    await expect(run({ reason: 'schedule' })).rejects.toThrow(/expired/);
  });

  it('gets over throttling, and where it does not end, leaves the current one', async () => {
    const [good, renewed] = [await intermediate.issue({ names, from: -3 }), await intermediate.issue({ names })];
    await acmHas(good);
    await run();
    await acmHas(renewed);
    judge = (target) => (target === 'ExportCertificate' ? { status: 400, type: 'ThrottlingException' } : null);
    await expect(run()).rejects.toMatchObject({ reason: 'source' });
    await expectServed(good);
    let throttled = 0;
    judge = (target) => {
      if (target !== 'ExportCertificate' || throttled === 2) return null;
      throttled += 1;
      return { status: 400, type: 'ThrottlingException' };
    };
    expect((await run()).outcome).toBe('rotated');
    await expectServed(renewed);
  });

  it('that crashes between any two requests leaves a good certificate, and the next run finishes', async () => {
    await acmHas(await intermediate.issue({ names, from: -30 }));
    await run();
    let crashes = 0;
    for (let at = 1; ; at += 1) {
      const renewed = await intermediate.issue({ names, from: -29 + at });
      await acmHas(renewed);
      let requests = 0;
      judge = () => {
        requests += 1;
        return requests >= at ? { status: 400, type: 'AccessDeniedException' } : null; // from here on nothing gets through, as after a crash
      };
      const crashed = await run().then(
        () => false,
        () => true,
      );
      judge = () => null;
      expect(certificateProblems(await current(), { names })).toEqual([]);
      await run();
      await expectServed(renewed);
      if (!crashed) break;
      crashes += 1;
    }
    expect(crashes).toBeGreaterThan(6);
  });
});

it('a renewal is served within the polling interval, and 20 running transfers go on unharmed', async () => {
  const [first, second] = [await intermediate.issue({ names, from: -3 }), await intermediate.issue({ names })];
  await acmHas(first);
  await run();
  const pollSeconds = 2;
  const server = await testServer({ passive: { ports: 'any:24' }, tls: { certificates: [{ kind: 'secret', secretId, pollSeconds }] } });
  const clients: Client[] = [];
  const content = randomBytes(2_000_000);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  try {
    // Each upload sends its first half, then waits until the new certificate is served.
    let halfway = 0;
    let allHalfway = () => {};
    const everyoneHalfway = new Promise<void>((resolve) => {
      allHalfway = resolve;
    });
    const uploads = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const client = await server.client('explicit', { ca: root.pem });
        clients.push(client);
        async function* pieces() {
          yield content.subarray(0, 1_000_000);
          halfway += 1;
          if (halfway === 20) allHalfway();
          await held;
          yield content.subarray(1_000_000);
        }
        return { done: client.uploadFrom(Readable.from(pieces()), `file-${index}`), client, index };
      }),
    );
    await everyoneHalfway;
    await acmHas(second);
    await run();
    const rotatedAt = Date.now();
    const replaced = await server.audit.next('certificate', ({ change }) => change === 'replaced');
    expect((Date.now() - rotatedAt) / 1000).toBeLessThan(pollSeconds * 1.1 + 3);
    expect(replaced.serialNumber?.toLowerCase()).toBe(second.serialNumber.toLowerCase());
    expect((await serialAt(server.implicit)).toLowerCase()).toBe(second.serialNumber.toLowerCase());
    expect(server.server.transfers()).toBe(20);
    letGo();
    for (const { done } of uploads) await done;
    for (const { client, index } of uploads) {
      const hash = createHash('sha256');
      await client.downloadTo(new Writable({ write: (chunk, _encoding, next) => next(void hash.update(chunk) as undefined) }), `file-${index}`);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    }
    expect(server.audit.of('transfer').filter(({ outcome }) => outcome !== 'success')).toEqual([]);
  } finally {
    letGo();
    await server.close();
  }
}, 60_000);

async function serialAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: root.pem, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return serialNumber;
}
