import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { ClientCertificates, ClientTrust, FtpsService } from '../../../lib';
import { bundleProblems, readRevocations, revocationProblems } from '../../../lib/certificate/client-trust/check';
import { acknowledgeHouseRules } from '../../../lib/compliance/house-rules';
import { checkServerConfig } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { nagFindings, serviceTemplate, shippedSettings, testStack } from '../support';

const folder = mkdtempSync(join(tmpdir(), 'ftps-trust-'));
const bundleFile = join(folder, 'partners.pem');
let partners: TestAuthority;
let others: TestAuthority;
beforeAll(async () => {
  partners = await TestAuthority.create('CN=Partners');
  others = await TestAuthority.create('CN=Others');
  writeFileSync(bundleFile, partners.pem);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const revocationLists = ['http://crl.example.com/partners.crl'];

describe('a revocation list', () => {
  const problems = async (pem: string, options: { before?: string; now?: Date } = {}) =>
    revocationProblems(readRevocations(Buffer.from(pem)), partners.pem, options.before ? readRevocations(Buffer.from(options.before)) : undefined, options.now);

  it('of an authority of the bundle is taken, from PEM and from DER', async () => {
    const pem = await partners.revoke('01ab');
    expect(await problems(pem)).toEqual([]);
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(readRevocations(der).pem.replaceAll(/\s/g, '')).toBe(pem.replaceAll(/\s/g, ''));
  });

  it('is refused that somebody else signed, also under the same name, that ended, or that is no list', async () => {
    expect(await problems(await others.revoke())).toEqual([expect.stringContaining('CN=Others is signed by no authority')]);
    expect(await problems(await (await TestAuthority.create('CN=Partners')).revoke())).toEqual([expect.stringContaining('signed by no authority')]);
    expect(await problems(await partners.revoke(), { now: new Date(Date.now() + 2 * 86_400_000) })).toEqual([expect.stringContaining('stood until')]);
    expect(() => readRevocations(Buffer.from('<html>'))).toThrow('is no revocation list');
  });
});

it('a bundle is refused that holds nothing, or a certificate that is no authority’s', async () => {
  expect(bundleProblems('')).toEqual(['the bundle has no PEM certificate']);
  expect(bundleProblems(partners.pem)).toEqual([]);
  expect(bundleProblems((await partners.issue()).certificate)).toEqual([expect.stringContaining('is no authority')]);
});

describe('a service with client certificates', () => {
  const made = (server = {}, lists: string[] | undefined = revocationLists) => {
    const { stack, hostedZone } = testStack();
    const clientTrust = new ClientTrust(stack, 'Trust', { bundleFile, revocationLists: lists });
    new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], clientTrust, server });
    return Template.fromStack(stack);
  };

  it('ships where the authorities and their lists are, may read them, and tells somebody when a list is stale', () => {
    const template = made();
    const settings = checkServerConfig(shippedSettings(template));
    expect(settings.tls.clientCa).toMatch(/^s3:\/\/<Trust\w+>\/client-ca\.pem$/);
    expect(settings.tls.clientCrl).toMatch(/^s3:\/\/<Trust\w+>\/client-crl\.pem$/);
    expect(settings.listeners.map(({ clientCertificates }) => clientCertificates)).toEqual(['optional', 'optional']);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'ClientCrlHoursLeft',
      Threshold: 12,
      TreatMissingData: 'missing', // nobody is called before the first run, and somebody is when data stop
      AlarmActions: Match.anyValue(),
      InsufficientDataActions: Match.anyValue(),
    });
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 hour)' });
  });

  it('may ask for them of everybody, and needs no list', () => {
    const settings = checkServerConfig(shippedSettings(made({ clientCertificates: ClientCertificates.REQUIRED }, [])));
    expect(settings.listeners[0]!.clientCertificates).toBe('required');
    expect(settings.tls.clientCrl).toBeUndefined();
  });

  it('is refused without authorities', () => {
    expect(() => serviceTemplate({ server: { clientCertificates: ClientCertificates.REQUIRED } })).toThrow(/clientTrust: is missing/);
  });
});

it('the trust passes all four packs, and an address that is none is named', () => {
  const findings = nagFindings((stack) => {
    acknowledgeHouseRules(stack);
    const trust = new ClientTrust(stack, 'Trust', { bundleFile, revocationLists });
    trust.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:sns:eu-central-1:111122223333:topic' }) });
  });
  expect(findings).toEqual([]);
  expect(() => new ClientTrust(testStack().stack, 'Trust', { bundleFile, revocationLists: ['ldap://x'] })).toThrow(
    /revocationLists: "ldap:\/\/x" is no address/,
  );
});
