/** What tells the instances of a renewal: the document of Systems Manager, run as the agent runs it, against the built server. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ACMClient, ImportCertificateCommand } from '@aws-sdk/client-acm';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ServerCertificate } from '../../../lib';
import { type Issued, TestAuthority } from '../../server/support/authority';
import { run, type ServedProcess, serveConfigured } from '../support/served';
import { type Moto, runRotation, startMoto } from './moto';

let folder: string;
let moto: Moto;
let server: ServedProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-push-'));
  moto = await startMoto();
});
afterAll(async () => {
  await server?.stop();
  await moto.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What the document has instances do, as it is deployed. */
function pushedCommands(): string[] {
  const stack = new Stack(new App(), 'Test');
  const certificate = ServerCertificate.fromAcm(stack, 'Certificate', {
    certificate: Certificate.fromCertificateArn(stack, 'Acm', 'arn:aws:acm:us-east-1:111122223333:certificate/1'),
    names: ['localhost'],
  });
  certificate.pushTo(stack);
  const [made] = Object.values(Template.fromStack(stack).findResources('AWS::SSM::Document'));
  return made!['Properties'].Content.mainSteps[0].inputs.runCommand;
}

/** Asked by hand, because moto writes dates in a way that the SDK does not read. */
async function sentCommands(): Promise<{ Commands: { DocumentName: string; Targets: unknown[] }[] }> {
  const response = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonSSM.ListCommands',
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: '{}',
  });
  return (await response.json()) as Awaited<ReturnType<typeof sentCommands>>;
}

/** systemctl as far as the unit of the image goes: what ExecReload says, to the process that runs. */
function systemctl(pid: number): string {
  const unit = readFileSync(join(__dirname, '../../../lib/image/files/ftps.service'), 'utf8');
  const [, reload] = /^ExecReload=(.+)$/m.exec(unit)!;
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), `#!/bin/bash\n[ "$*" = "reload ftps.service" ] || exit 1\nMAINPID=${pid}\n${reload}\n`);
  chmodSync(join(bin, 'systemctl'), 0o755);
  return bin;
}

async function serialAt(port: number, ca: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return serialNumber.toLowerCase();
}

it('a renewal is sent to the instances, and what is sent makes the server take it up at once', async () => {
  const root = await TestAuthority.create();
  const [first, second] = [await root.issue({ names: ['localhost'], from: -3 }), await root.issue({ names: ['localhost'] })];
  const secrets = new SecretsManagerClient({});
  const { ARN: secretId } = await secrets.send(new CreateSecretCommand({ Name: `push-${randomBytes(4).toString('hex')}`, SecretString: 'generated' }));
  const secretOf = ({ certificate, key }: Issued) => JSON.stringify({ certificate, chain: root.pem, privateKey: key });
  await secrets.send(new PutSecretValueCommand({ SecretId: secretId, SecretString: secretOf(first) }));

  writeFileSync(join(folder, 'accounts'), JSON.stringify({ accounts: [] }));
  server = await serveConfigured({
    listeners: [{ mode: 'implicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:2' },
    tls: { certificates: [{ kind: 'secret', secretId, pollSeconds: 3_600 }] }, // it would look by itself only after an hour
    identity: [{ kind: 'file', file: join(folder, 'accounts') }],
  });
  const { implicit: port, pid, auditFile } = server;
  expect(await serialAt(port, root.pem)).toBe(first.serialNumber.toLowerCase());

  const acm = new ACMClient({});
  const { CertificateArn } = await acm.send(
    new ImportCertificateCommand({
      Certificate: Buffer.from(second.certificate),
      PrivateKey: Buffer.from(second.key),
      CertificateChain: Buffer.from(root.pem),
    }),
  );
  const { outcome } = await runRotation(
    {
      CERTIFICATE_ARN: CertificateArn,
      AUTHORITY_ARN: undefined,
      SECRET_ID: secretId,
      NAMES: 'localhost',
      MIN_DAYS_LEFT: '1',
      RELOAD_DOCUMENT: 'Reload',
      RELOAD_TAG: 'cdk-ftps:fleet=Test',
    },
    {},
  );
  expect(outcome).toBe('rotated');
  const { Commands } = await sentCommands();
  expect(Commands.map(({ DocumentName, Targets }) => ({ DocumentName, Targets }))).toEqual([
    { DocumentName: 'Reload', Targets: [{ Key: 'tag:cdk-ftps:fleet', Values: ['Test'] }] },
  ]);
  expect(await serialAt(port, root.pem)).toBe(first.serialNumber.toLowerCase());

  const ran = await run('env', [`PATH=${systemctl(pid)}:${process.env['PATH']}`, 'bash', '-euc', pushedCommands().join('\n')]);
  expect(ran).toEqual({ code: 0, output: '' });
  const isServed = () => readFileSync(auditFile, 'utf8').includes(second.serialNumber.toUpperCase().replace(/^0/, ''));
  for (let attempt = 0; attempt < 300 && !isServed(); attempt += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await serialAt(port, root.pem)).toBe(second.serialNumber.toLowerCase());
});
