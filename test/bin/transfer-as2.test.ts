/** AS2 of AWS Transfer Family as code of the app: it is code that the kit takes, and nothing is left out without a word. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribedCertificate, DescribedConnector } from '@aws-sdk/client-transfer';
import { transformSync } from 'esbuild';
import type { TransferAs2 } from '../../bin/transfer-family/as2';
import { codeOf } from '../../bin/transfer-family/as2-code';
import { planAs2 } from '../../bin/transfer-family/as2-plan';
import * as kit from '../../lib';
import { makePair } from '../../lib/as2/keys/make-pair';
import { serverConfig } from '../../lib/server-config';

let one: string;
let two: string;
let folder: string;
beforeAll(async () => {
  [one, two] = (await Promise.all([makePair('One', 90), makePair('Two', 90)])).map(({ certificate }) => certificate) as [string, string];
  folder = mkdtempSync(join(tmpdir(), 'ftps-as2-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const Role = 'arn:aws:iam::123456789012:role/transfer';
const certificate = (CertificateId: string, Usage: DescribedCertificate['Usage'], Certificate: string, Status: DescribedCertificate['Status'] = 'ACTIVE') =>
  ({ Arn: CertificateId, CertificateId, Usage, Status, Certificate }) as DescribedCertificate;
const connector = (ConnectorId: string, partner: string, more: object = {}, Url = 'https://as2.example/as2') =>
  ({ Arn: ConnectorId, ConnectorId, Url, As2Config: { LocalProfileId: 'us', PartnerProfileId: partner, ...more } }) as DescribedConnector;

const whole = (): TransferAs2 => ({
  profiles: [
    { Arn: 'us', ProfileId: 'us', ProfileType: 'LOCAL', As2Id: 'O\'Neil "US"', CertificateIds: ['cert-own'] },
    { Arn: 'acme', ProfileId: 'acme', ProfileType: 'PARTNER', As2Id: 'ACME', CertificateIds: ['cert-acme-1', 'cert-acme-2', 'cert-acme-3', 'cert-acme-4'] },
    { Arn: 'small', ProfileId: 'small', ProfileType: 'PARTNER', As2Id: 'acme', CertificateIds: ['cert-small'] },
    { Arn: 'odd', ProfileId: 'odd', ProfileType: 'PARTNER', As2Id: 'odd\t', CertificateIds: [] },
  ],
  certificates: [
    certificate('cert-own', 'SIGNING', one),
    certificate('cert-acme-1', 'SIGNING', one, 'PENDING_ROTATION'),
    certificate('cert-acme-2', 'SIGNING', two),
    certificate('cert-acme-3', 'ENCRYPTION', one),
    certificate('cert-acme-4', 'SIGNING', one, 'INACTIVE'),
    certificate('cert-small', 'SIGNING', one),
  ],
  agreements: [
    {
      Arn: 'a-1',
      AgreementId: 'a-1',
      Status: 'ACTIVE',
      LocalProfileId: 'us',
      PartnerProfileId: 'acme',
      BaseDirectory: '/in/acme',
      AccessRole: Role,
      EnforceMessageSigning: 'DISABLED',
    },
    { Arn: 'a-2', AgreementId: 'a-2', Status: 'INACTIVE', LocalProfileId: 'us', PartnerProfileId: 'acme', BaseDirectory: '/old', AccessRole: Role },
    { Arn: 'a-3', AgreementId: 'a-3', Status: 'ACTIVE', LocalProfileId: 'us', PartnerProfileId: 'odd', BaseDirectory: '/odd', AccessRole: Role },
  ],
  connectors: [
    connector('c-1', 'acme', {
      SigningAlgorithm: 'SHA1',
      EncryptionAlgorithm: 'DES_EDE3_CBC',
      MdnResponse: 'ASYNC',
      MdnSigningAlgorithm: 'NONE',
      MessageSubject: "it's EDI",
    }),
    connector('c-2', 'acme'),
    connector(
      'c-3',
      'small',
      { SigningAlgorithm: 'NONE', EncryptionAlgorithm: 'NONE', Compression: 'DISABLED', MdnResponse: 'NONE' },
      'http://small.example:4080/',
    ),
    { Arn: 'c-4', ConnectorId: 'c-4', Url: 'sftp://other.example', SftpConfig: {} } as DescribedConnector,
  ],
});

it('is code by which the server’s settings are those of profiles, agreements and connectors', () => {
  const [plan] = planAs2(whole());
  for (const [name, pem] of Object.entries(plan!.certificates)) writeFileSync(join(folder, name), pem);
  const { code } = transformSync(codeOf(plan!, folder), { loader: 'ts', format: 'cjs' });
  const module = { exports: {} as { as2: kit.As2Settings } };
  new Function('require', 'module', 'exports', code)(() => kit, module, module.exports);
  const { as2 } = serverConfig(
    { as2: module.exports.as2 },
    {
      certificateSecretIds: ['certificate'],
      storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
      identity: [{ kind: 'secrets', prefix: 'partners/' }],
      advertisedAddress: 'auto',
      as2KeysSecretId: 'keys',
      domainName: 'ftps.example.com',
    },
  );
  expect(as2!.identity.as2Id).toBe('O\'Neil "US"');
  expect(as2!.partners).toMatchObject([
    {
      as2Id: 'ACME',
      account: 'acme',
      url: 'https://as2.example/as2',
      // The one that is about to be replaced comes last.
      certificates: [two, one].map((pem) => expect.stringContaining(pem.split('\n')[5]!)),
      encryptionCertificate: expect.stringContaining(one.split('\n')[5]!),
      require: { signed: false, encrypted: true },
      send: { sign: 'sha1', encrypt: 'des-ede3-cbc', subject: "it's EDI" },
      receipt: { kind: 'async', signed: false },
    },
    {
      as2Id: 'acme',
      account: 'acme-2',
      url: 'http://small.example:4080/',
      allowPlainHttp: true,
      send: { sign: false, encrypt: false },
      receipt: { kind: 'none' },
    },
  ]);
});

it('says what is left out, and what a person has to do', () => {
  const [plan, others] = planAs2(whole());
  expect(plan!.leftOut.map(({ what, reason }) => `${what} ${reason}`)).toEqual([
    'agreement a-2 is not active',
    'connector c-2 there is another one to "ACME", c-1',
    'certificate cert-acme-4 of "ACME" is inactive',
    expect.stringMatching(/^profile odd "odd\\t" is no AS2 name here/),
  ]);
  expect(others!.leftOut).toEqual([{ what: 'connector c-4', reason: expect.stringMatching(/is one of SFTP/) }]);
  const advice = plan!.advice.join('\n');
  for (const words of [
    /private keys of "O'Neil "US"" can't be read back from AWS \(cert-own\)/,
    /"ACME" is sent SHA-1 or 3DES: ask it for SHA-256 and AES/,
    /Transfer Family takes messages of "ACME" that are not encrypted; here they are refused unless requireEncrypted is false/,
    /Messages of "ACME" did not have to be signed/,
    /"acme" has a connector and no agreement/,
  ])
    expect(advice).toMatch(words);
});
